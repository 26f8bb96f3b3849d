"""What opens a WebSocket, and what does not."""

import pytest

from server.fanout.deflate import Deflate
from server.front.handshake import Asked, answer, asked
from server.front.head import Head, parse

GOOD = {
    "host": "town.example",
    "upgrade": "websocket",
    "connection": "keep-alive, Upgrade",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    "sec-websocket-version": "13",
}
TARGET = "/socket.io/?EIO=4&transport=websocket"


def of(target: str = TARGET, method: str = "GET", version: str = "1.1", **headers: str) -> Asked | None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return asked(Head(method, version, target, {name: value for name, value in {**GOOD, **named}.items() if value}))


def test_the_answer_is_that_of_the_standard() -> None:
    found = of()
    assert found is not None
    # RFC 6455, 1.3
    assert b"\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n" in answer(found)


@pytest.mark.parametrize(
    "wrong",
    [
        {"target": "/socket.io/?EIO=4&transport=polling"},
        {"target": "/socket.io/?EIO=3&transport=websocket"},
        {"target": "/socket.io/?EIO=4&transport=websocket&sid=x"},
        {"target": "/other/?EIO=4&transport=websocket"},
        {"method": "POST"},
        {"version": "1.0"},
        {"host": ""},
        {"upgrade": ""},
        {"upgrade": "h2c"},
        {"connection": "close"},
        {"sec_websocket_key": ""},
        {"sec_websocket_key": "c2hvcnQ="},
        {"sec_websocket_key": "!!!!"},
        {"sec_websocket_version": "8"},
    ],
    ids=str,
)
def test_anything_else_is_left_to_http(wrong: dict[str, str]) -> None:
    assert of(**wrong) is None


@pytest.mark.parametrize(
    ("offers", "taken"),
    [
        ("", None),
        ("permessage-deflate", Deflate(follows=True)),
        ("permessage-deflate; client_max_window_bits", Deflate(follows=True)),
        ("permessage-deflate; server_no_context_takeover", Deflate(follows=False)),
        ("permessage-deflate; server_max_window_bits=10", None),
        ("permessage-deflate; server_max_window_bits=10, permessage-deflate", Deflate(follows=True)),
        ("permessage-deflate; client_max_window_bits=7", None),
        ("permessage-deflate; unheard_of", None),
        ("permessage-deflate; client_max_window_bits; client_max_window_bits", None),
        ("x-webkit-deflate-frame", None),
    ],
)
def test_compression_is_taken_where_we_can_keep_to_it(offers: str, taken: Deflate | None) -> None:
    found = of(sec_websocket_extensions=offers)
    assert found is not None
    assert found.deflate == taken
    assert (b"permessage-deflate; client_no_context_takeover" in answer(found)) is (taken is not None)
    assert (b"server_no_context_takeover" in answer(found)) is (taken is not None and not taken.follows)


def test_a_head_is_parsed_or_is_none() -> None:
    head = parse(b"GET /a?b HTTP/1.1\r\nHost: x\r\nA: 1\r\na: 2\r\n\r\n")
    assert head == Head("GET", "1.1", "/a?b", {"host": "x", "a": "1, 2"})
    for wrong in (b"GET / HTTP/1.1\r\nHost x\r\n\r\n", b"\x16\x03\x01\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n", b""):
        assert parse(wrong) is None
