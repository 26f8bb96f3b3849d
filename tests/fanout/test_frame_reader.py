"""Our frame reader beside wsproto: the same messages from the same bytes, and the same bytes refused."""

import random

import hypothesis.strategies as st
import pytest
from hypothesis import example, given, settings
from wsproto.connection import Connection, ConnectionType
from wsproto.events import CloseConnection
from wsproto.frame_protocol import CloseReason, FrameProtocol, ParseFailed

from server.fanout.deflate import deflated
from server.sockets.frame_reader import FRAGMENTS_MAX, BadFrame, FrameReader, Opcode, close_frame, closed_with, is_pong

MOST = 5_000


def frame(
    opcode: int, payload: bytes = b"", *, final: bool = True, rsv: int = 0, mask: bytes | None = b"\x01\x02\x03\x04"
) -> bytes:
    """As a client sends it; with `mask` None as it must not."""
    length = len(payload)
    second = 0x80 if mask is not None else 0
    head = bytes(((0x80 if final else 0) | rsv << 4 | opcode,))
    if length < 126:
        head += bytes((second | length,))
    elif length < 1 << 16:
        head += bytes((second | 126,)) + length.to_bytes(2, "big")
    else:
        head += bytes((second | 127,)) + length.to_bytes(8, "big")
    if mask is None:
        return head + payload
    return head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


def ours(chunks: list[bytes]) -> tuple[list[tuple[int, bytes]], bool]:
    """(messages and control frames, whether it was refused); nothing is read behind a Close."""
    reader = FrameReader(MOST, deflate=False)
    found: list[tuple[int, bytes]] = []
    try:
        for chunk in chunks:
            for opcode, payload in reader.feed(chunk):
                if opcode == Opcode.TEXT:
                    try:
                        payload.decode()
                    except UnicodeDecodeError:
                        return found, True
                if opcode == Opcode.CLOSE:
                    code = closed_with(payload)
                    refused = code in (1002, 1007) and int.from_bytes(payload[:2], "big") != code
                    return [*found, (opcode, b"")], refused
                found.append((opcode, payload))
    except BadFrame:
        return found, True
    return found, False


def midway(chunks: list[bytes]) -> bool:
    """Whether a message has begun in `chunks` and not ended."""
    reader = FrameReader(MOST, deflate=False)
    try:
        for chunk in chunks:
            list(reader.feed(chunk))
    except BadFrame:
        return False
    return reader.midway


def theirs(chunks: list[bytes]) -> tuple[list[tuple[int, bytes]], bool]:
    """The same by wsproto."""
    protocol = FrameProtocol(client=False, extensions=[])
    found: list[tuple[int, bytes]] = []
    parts: list[bytes] = []
    try:
        for chunk in chunks:
            protocol.receive_bytes(chunk)
            for event in protocol.received_frames():
                opcode = Opcode(event.opcode)
                if opcode == Opcode.CLOSE:
                    return [*found, (Opcode.CLOSE, b"")], False
                assert not isinstance(event.payload, tuple)
                payload = event.payload.encode() if isinstance(event.payload, str) else bytes(event.payload)
                if opcode > Opcode.CLOSE:
                    found.append((opcode, payload))
                    continue
                parts.append(payload)
                if event.message_finished:
                    found.append((opcode, b"".join(parts)))
                    parts.clear()
    except ParseFailed:
        return found, True
    return found, False


FRAMES = st.builds(
    frame,
    st.sampled_from([0, 1, 1, 1, 2, 9, 10]) | st.integers(0, 15),
    st.text(max_size=40).map(str.encode) | st.binary(max_size=200),
    final=st.booleans(),
    rsv=st.sampled_from([0] * 12 + [1, 2, 4]),
    mask=st.sampled_from([b"\0\0\0\0", b"\x11\x22\x33\x44"]),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(FRAMES, max_size=8), st.randoms(use_true_random=False))
def test_frames_read_as_wsproto_reads_them(frames: list[bytes], chance: random.Random) -> None:
    data = b"".join(frames)
    cuts = sorted(chance.sample(range(len(data) + 1), min(5, len(data))))
    chunks = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    # wsproto decodes fragments one by one, we the whole: so the last one has to come.
    chunks.append(frame(0) if midway(chunks) else b"")
    mine, refused = ours(chunks)
    other, other_refused = theirs(chunks)
    assert refused == other_refused
    if not refused:
        assert mine == other


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    mine, refused = ours([data])
    other, other_refused = theirs([data])
    if refused:
        # By the header alone, where wsproto waits for the payload.
        assert mine[: len(other)] == other
    elif not other_refused:
        assert mine == other
    else:
        # A fragment that is not UTF-8: we look once the message is whole.
        assert mine == other
        assert midway([data])


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=130))
def test_a_close_is_answered_as_wsproto_takes_it(payload: bytes) -> None:
    if len(payload) > 125:
        return
    _, refused = theirs([frame(8, payload)])
    assert refused == (bool(payload) and closed_with(payload) != int.from_bytes(payload[:2], "big"))


def test_a_header_is_refused_before_its_payload_comes() -> None:
    with pytest.raises(BadFrame) as caught:
        list(FrameReader(MOST, deflate=False).feed(b"\x81\xff" + (2 << 30).to_bytes(8, "big")))
    assert (caught.value.code, caught.value.reason) == (3503, "too_big")


def test_a_frame_that_is_not_masked_is_refused() -> None:
    assert ours([frame(1, b"x", mask=None)]) == ([], True)


def test_fragments_are_bounded_in_bytes_and_in_count() -> None:
    reader = FrameReader(MOST, deflate=False)
    with pytest.raises(BadFrame) as caught:
        for number in range(FRAGMENTS_MAX + 1):
            list(reader.feed(frame(0 if number else 1, b"x", final=False)))
    assert caught.value.reason == "too_many_fragments"
    reader = FrameReader(MOST, deflate=False)
    list(reader.feed(frame(1, b"x" * MOST, final=False)))
    with pytest.raises(BadFrame) as caught:
        list(reader.feed(frame(0, b"x")))
    assert caught.value.reason == "too_big"


def test_midway_is_told() -> None:
    reader = FrameReader(MOST, deflate=False)
    whole = frame(1, b"hello")
    assert not reader.midway
    assert list(reader.feed(whole[:3])) == []
    assert reader.midway
    assert list(reader.feed(whole[3:])) == [(Opcode.TEXT, b"hello")]
    assert not reader.midway
    assert list(reader.feed(frame(1, b"hel", final=False))) == []
    assert reader.midway


def test_a_compressed_message_is_inflated_up_to_the_bound() -> None:
    reader = FrameReader(MOST, deflate=True)
    assert list(reader.feed(frame(1, deflated("안녕하세요".encode()), rsv=4))) == [(Opcode.TEXT, "안녕하세요".encode())]
    squeezed = deflated(b"x" * 1_000_000)
    assert len(squeezed) < MOST
    with pytest.raises(BadFrame) as caught:
        list(reader.feed(frame(1, squeezed, rsv=4)))
    assert (caught.value.code, caught.value.reason) == (3503, "too_big")
    with pytest.raises(BadFrame) as caught:
        list(FrameReader(MOST, deflate=True).feed(frame(1, b"\xff\xff\xff", rsv=4)))
    assert caught.value.code == 1007
    with pytest.raises(BadFrame):
        list(FrameReader(MOST, deflate=False).feed(frame(1, deflated(b"x"), rsv=4)))


def test_our_close_frame_reads_as_one() -> None:
    client = Connection(ConnectionType.CLIENT)
    client.receive_data(close_frame(3503, "too_big"))
    event = next(iter(client.events()))
    assert isinstance(event, CloseConnection)
    assert (event.code, event.reason) == (3503, "too_big")
    assert closed_with(b"") == CloseReason.NORMAL_CLOSURE


@given(st.one_of(st.binary(max_size=9), st.builds(frame, st.integers(0, 15), st.sampled_from([b"", b"2", b"3", b"33"]))))
@settings(max_examples=1_000, deadline=None)
@example(frame(1, b"3"))
@example(frame(1, b"3", mask=b"\x33\x33\x33\x33"))
@example(frame(1, b"3", final=False))
@example(frame(2, b"3"))
@example(frame(1, b"3", rsv=4))
@example(frame(1, b"3", mask=None))
@example(frame(1, b"3") * 2)
def test_a_pong_is_known_by_its_bytes_where_the_reader_would_find_one_and_nothing_else(data: bytes) -> None:
    assert is_pong(data) is (ours([data]) == ([(Opcode.TEXT, b"3")], False))
