"""Marks, frames and the lean connection's parser."""

import zlib

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


def test_compressed_frames_are_inflated_once_and_within_bounds() -> None:
    machine = zlib.compressobj(wbits=-15)
    text = changed(4, 5, f"하나 {mark('abcd', 7, 99)}")
    payload = (machine.compress(text) + machine.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\x00\x00\xff\xff")
    assert Reader("/audience", "abcd").read(payload, Inflate()).marks == ((5, 7, 99),)
    with pytest.raises(ValueError, match="without end"):
        Inflate(most=10)(payload)
    with pytest.raises(ValueError, match="invalid"):
        Inflate()(b"\xff\xff\xff")


class Heard(LeanSocket):
    """Keeps its texts."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[bytes] = []

    def request(self) -> bytes:
        return b""

    def text(self, payload: bytes, inflate: Inflate | None) -> None:
        self.texts.append(payload)

    def ended(self, status: int) -> None:
        raise AssertionError


@given(st.lists(st.binary(max_size=300) | st.sampled_from([b"x" * 126, b"x" * 70_000]), max_size=5), st.data())
def test_frames_are_found_wherever_the_reads_cut_them(payloads: list[bytes], data: st.DataObject) -> None:
    payloads = [payload for payload in payloads if payload != b"2"]
    stream = b"HTTP/1.1 101 Switching\r\nX: y\r\n\r\n" + b"".join(ready_frame(payload) for payload in payloads)
    heard = Heard()
    while stream:
        size = data.draw(st.integers(1, max(1, len(stream))))
        heard.data_received(stream[:size])
        stream = stream[size:]
    assert heard.texts == payloads
