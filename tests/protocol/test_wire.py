"""What travels is checked on arrival, and comes back as it went."""

import json

import hypothesis.strategies as st
import msgspec
import orjson
import pytest
from hypothesis import given

from protocol import bus, wire
from protocol.commands import COMMANDS, QUERIES, PostMessage
from protocol.entries import ENTRIES, Entry, MessagePosted
from protocol.frames import Ack, Gauges
from protocol.refusals import Refusal
from protocol.schema import schema
from protocol.upcasts import UPCASTS
from protocol.views import AudienceMessage

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def test_a_command_becomes_typed() -> None:
    found = wire.command("message:post", {"client_id": "abcdefgh", "text": "안녕", "asked": True})
    assert found == PostMessage(client_id="abcdefgh", text="안녕", asked=True)


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ({"client_id": "abcdefgh"}, "$"),
        ({"client_id": "short", "text": "x"}, "$.client_id"),
        ({"client_id": 7, "text": "x"}, "$.client_id"),
        ({"client_id": "abcdefgh", "text": 1}, "$.text"),
        ({"client_id": "abcdefgh", "text": "x" * 4_001}, "$.text"),
        ({"client_id": "abcdefgh", "text": "x", "more": 1}, "$"),
        ({"client_id": "abcdefgh", "text": "x", "command": "message:post"}, "$"),
        (["client_id"], "$"),
        (None, "$"),
        ("text", "$"),
    ],
)
def test_a_wrong_payload_is_told_where_it_is_wrong(payload: object, field: str) -> None:
    found = wire.command("message:post", payload)
    assert isinstance(found, Refusal)
    assert (found.code, found.field) == ("bad_request", field)


@pytest.mark.parametrize("name", ["", "connect", "disconnect", "message", 7, None, "message:post ", ["message:post"]])
def test_an_unknown_name_is_told_so(name: object) -> None:
    found = wire.command(name, {})
    assert isinstance(found, Refusal)
    assert found.code == "unknown_command"


@given(st.sampled_from(sorted((*COMMANDS, *QUERIES))), ANYTHING)
def test_no_payload_whatever_raises(name: str, payload: object) -> None:
    wire.command(name, payload)


@pytest.mark.parametrize(
    "text", ["", "{", "nope", "[1,]", '{"a":1}}', "NaN", "1e999999", "[" * 100_000, '{"a":' * 20 + "1" + "}" * 20]
)
def test_what_is_not_json_for_us(text: str) -> None:
    with pytest.raises(wire.BadJson):
        wire.loads(text)


def test_brackets_inside_text_do_not_count_as_nesting() -> None:
    text = "[" * 100 + '\\"' + "]" * 3
    assert wire.loads(json.dumps({"text": text})) == {"text": text}


def test_lone_surrogates_in_raw_text_are_refused_and_escaped_ones_too() -> None:
    with pytest.raises(wire.BadJson):
        wire.loads('{"text":"\ud800"}')
    with pytest.raises(wire.BadJson):
        wire.loads('{"text":"\\ud800"}')


def test_frames_are_joined_from_ready_fragments() -> None:
    fragment = wire.fragment(AudienceMessage(id=3, text="글", who=(1, 2, 3), at=4))
    assert json.loads(wire.changed(1, 3, [fragment, fragment]))["entries"][1]["text"] == "글"
    assert json.loads(wire.reset(7, 3, [])) == {"epoch": 7, "seq": 3, "entries": []}
    assert wire.packet("/audience", "bye", b"{}") == b'42/audience,["bye",{}]'
    assert wire.stream_item("view:reset", b"{}", "7-3") == b"id: 7-3\nevent: view:reset\ndata: {}\n\n"
    assert wire.stream_item("bye", b"{}", "7-3") == b"event: bye\ndata: {}\n\n"


def test_korean_is_written_as_korean() -> None:
    assert "글".encode() in wire.dumps({"text": "글"})
    assert wire.dumps(Gauges(support={3: 4})) == b'{"support":{"3":4}}'
    with pytest.raises(TypeError):
        wire.dumps({"x": object()})


def test_an_ack_leaves_out_what_it_does_not_say() -> None:
    assert wire.dumps(Ack(ok=True, seq=3)) == b'{"ok":true,"seq":3}'


def sample(kind: type[Entry]) -> Entry:
    """An entry of `kind` with something in every field."""
    import msgspec

    values = {
        "at": 5,
        "by": "host:h",
        "code": "ABCD",
        "setup": {"title": "t"},
        "admission": {"issuer": {"url": "https://admit.example.org", "key": "A" * 563}},
        "authors": ["0" * 16],
        "messages": [1],
        "link": "0123abcd",
        "made": "0123abcd",
        "revoked": "0123abcd",
        "id": "host-1",
        "label": "비서실",
        "secret": "0" * 64,
        "expires": 9,
        "holder": "",
        "due": "2026-12-01",
        "deferred": [1],
        "role": "host",
        "seconds": 3,
        "few": True,
        "mode": "open",
        "author": "0" * 16,
        "until": 9,
        "since": 4,
        "message": 1,
        "pseudonym": [1, 2, 3],
        "text": "글",
        "asked": True,
        "held": "review",
        "findings": [{"kind": "phone", "start": 0, "end": 3}],
        "position": 1,
        "director": "d1",
        "into": 2,
        "support": 4,
        "note": "n",
        "undoes": 3,
        "before": {"state": "visible", "merged": [4]},
        "on": True,
        "poll": 3,
        "question": "언제 할까요?",
        "choices": ["아침", "저녁"],
        "voters": 5,
        "counts": [2, 3],
        "reason": {"author.muted": "abuse", "message.removed": "spam", "question.declined": "other"}.get(
            str(kind.__struct_config__.tag), "r"
        ),
    }
    return msgspec.convert({name: values[name] for name in kind.__struct_fields__}, kind)


@pytest.mark.parametrize("kind", ENTRIES.values(), ids=lambda kind: kind.__name__)
def test_every_entry_survives_the_log(kind: type[Entry]) -> None:
    entry = sample(kind)
    body, text = bus.pack(entry)
    assert bus.unpack(body, text) == entry
    if text is not None:
        assert text.encode() not in body


def test_an_erased_text_is_none() -> None:
    body, _ = bus.pack(sample(MessagePosted))
    found = bus.unpack(body, None)
    assert isinstance(found, MessagePosted)
    assert found.text is None


def test_what_the_log_cannot_be() -> None:
    import msgpack

    with pytest.raises(bus.UnknownEntry):
        bus.unpack(msgpack.packb({"kind": "from.the_future", "at": 1}), None)
    with pytest.raises(bus.UnknownEntry, match="version 2"):
        bus.unpack(msgpack.packb({"kind": "hall.opened", "at": 1, "v": 2}), None)
    for body in (b"", b"\xc1", msgpack.packb([1]), msgpack.packb({"kind": "hall.opened"}), msgpack.packb({"at": 1})):
        with pytest.raises(bus.LogCorrupt):
            bus.unpack(body, None)


def test_an_older_version_is_brought_up(monkeypatch: pytest.MonkeyPatch) -> None:
    import msgpack

    from protocol.entries import HallOpened

    monkeypatch.setattr(HallOpened, "version", 2)
    monkeypatch.setitem(UPCASTS, ("hall.opened", 1), lambda raw: {**raw, "by": "upcast"})
    found = bus.unpack(msgpack.packb({"kind": "hall.opened", "at": 1}), None)
    assert found.by == "upcast"
    body, _ = bus.pack(HallOpened(at=1))
    assert msgpack.unpackb(body)["v"] == 2


def test_the_schema_names_everything_once() -> None:
    found = schema()
    assert {"PostMessage", "AudienceMessage", "Hello", "Frame", "Snapshot", "Bye", "Ack"} <= set(found["$defs"])
    assert "command" not in found["$defs"]["PostMessage"]["properties"]
    assert found["x-townhall"]["commands"]["message:post"] == "PostMessage"


@given(ANYTHING)
def test_a_struct_is_written_as_its_plain_values_are(data: object) -> None:
    ack = Ack(ok=True, seq=2**53, data=data)
    try:
        plain = orjson.dumps(msgspec.to_builtins(ack, str_keys=True))
    except (TypeError, UnicodeEncodeError):
        return  # no value that travels: a lone surrogate, a number that is none of ours
    assert json.loads(wire.dumps(ack)) == json.loads(plain)
    if "e" not in repr(data) and "." not in repr(data):
        assert wire.dumps(ack) == plain
