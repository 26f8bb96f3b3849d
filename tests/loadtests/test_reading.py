"""Marks, frames and the lean connection's parser."""

import zlib
from itertools import pairwise

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.lean import LeanSocket
from loadtests.marks import NUMBERS, mark, pattern, read, run_name
from loadtests.reading import Inflate, Reader
from moderation.filters import findings
from moderation.text import clean
from protocol import wire
from server.fanout.ready_frame import ready_frame


@given(st.integers(0, NUMBERS - 1), st.integers(0, 2**63 - 1))
def test_a_mark_goes_through_filters_and_cleaning_and_is_read_back(number: int, due_ns: int) -> None:
    run = run_name()
    text = f"구내식당 메뉴가 궁금합니다 {mark(run, number, due_ns)}"
    assert findings(text) == ()
    found = pattern(run).search(clean(text))
    assert found is not None
    assert read(found) == (number, due_ns)


def test_a_run_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="at most"):
        mark("aaaa", NUMBERS, 0)


def changed(after: int, seq: int, *texts: str) -> bytes:
    entries = [orjson.dumps({"k": "message", "id": after + 1 + n, "text": text}) for n, text in enumerate(texts)]
    return wire.packet("/audience", "view:changed", wire.changed(after, seq, entries))


def test_only_marks_of_ones_own_run_count() -> None:
    reader = Reader("/audience", "abcd")
    news = reader.read(changed(4, 6, f"하나 {mark('abcd', 7, 99)}", f"둘 {mark('bbbb', 8, 99)}"))
    assert (news.kind, news.after, news.seq, news.marks) == ("changed", 4, 6, ((5, 7, 99),))
    assert reader.read(changed(4, 6, f"하나 {mark('abcd', 7, 99)}", f"둘 {mark('bbbb', 8, 99)}")) is news
    assert reader.read(b'42/host,["view:changed",{"after":1,"seq":2,"entries":[]}]').kind == "other"


def test_compressed_frames_may_refer_to_earlier_ones_and_are_bounded() -> None:
    texts = [changed(4, 5, f"하나 {mark('abcd', 7, 99)}"), changed(5, 6, f"하나 {mark('abcd', 8, 99)}")]
    machine = zlib.compressobj(wbits=-15)
    payloads = [(machine.compress(text) + machine.flush(zlib.Z_SYNC_FLUSH))[:-4] for text in texts]
    assert len(payloads[1]) < len(payloads[0]) / 2
    stream = b"HTTP/1.1 101 Switching\r\n\r\n"
    for payload in payloads:
        frame = bytearray(ready_frame(payload))
        frame[0] |= 0x40
        stream += frame
    heard = Heard()
    heard.data_received(stream)
    assert heard.texts == texts
    with pytest.raises(ValueError, match="without end"):
        Inflate(most=10)(payloads[0])
    with pytest.raises(ValueError, match="invalid"):
        Inflate()(b"\xff\xff\xff")


class Heard(LeanSocket):
    """Keeps its texts."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[bytes] = []

    def request(self) -> bytes:
        return b""

    def text(self, payload: bytes) -> None:
        self.texts.append(payload)

    def ended(self, status: int) -> None:
        raise AssertionError


PAYLOADS = st.lists(st.sampled_from([b"", b"x", b"y" * 125, b"x" * 126, b"x" * 65_535, b"x" * 65_536]), max_size=5)


@given(PAYLOADS, st.lists(st.floats(0, 1), max_size=10).map(sorted))
def test_frames_are_found_wherever_the_reads_cut_them(payloads: list[bytes], cuts: list[float]) -> None:
    stream = b"HTTP/1.1 101 Switching\r\nX: y\r\n\r\n" + b"".join(ready_frame(payload) for payload in payloads)
    heard = Heard()
    for begin, end in pairwise([0, *(int(cut * len(stream)) for cut in cuts), len(stream)]):
        heard.data_received(stream[begin:end])
    assert heard.texts == payloads


def test_a_stream_that_comes_byte_by_byte_is_the_same() -> None:
    heard = Heard()
    for byte in b"HTTP/1.1 101 Switching\r\n\r\n" + b"".join(map(ready_frame, [b"one", b"", b"x" * 200])):
        heard.data_received(bytes((byte,)))
    assert heard.texts == [b"one", b"", b"x" * 200]
