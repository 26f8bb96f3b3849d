"""The checker finds what is injected: a hole, a double, a disorder, a message that a frame left out."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.checker import News, Track, Verdict, judge

ACKNOWLEDGED = {seq: seq - 10 for seq in range(11, 41)}
"""Message n was acknowledged with seq n + 10."""


def frame(after: int, seq: int, ids: Sequence[int] | None = None) -> News:
    """A frame that covers (`after`, `seq`] with the messages `ids` in it: all of them, unless said otherwise."""
    ids = range(after + 1, seq + 1) if ids is None else ids
    return News("changed", after, seq, tuple((id, id - 10, 0) for id in ids))


def tracked(*frames: News) -> Track:
    """A viewer that joined at seq 10 and was sent these."""
    track = Track()
    track.take(News("reset", seq=10))
    for one in frames:
        track.take(one)
    return track


def faults(track: Track) -> tuple[int, int, int]:
    return track.holes, track.doubles, track.disorders


@given(st.lists(st.integers(11, 39), max_size=12).map(sorted))
def test_whatever_the_cuts_between_frames_everything_once_is_whole(cuts: list[int]) -> None:
    edges = [10, *cuts, 40]
    track = tracked(*(frame(a, b) for a, b in pairwise(edges) if a < b))
    assert faults(track) == (0, 0, 0)
    assert judge([track.row()], ACKNOWLEDGED) == Verdict(whole=1)


def test_a_frame_that_never_came_is_a_hole() -> None:
    track = tracked(frame(10, 20), frame(25, 40))
    assert faults(track) == (1, 0, 0)
    assert judge([track.row()], ACKNOWLEDGED).short == 1


def test_a_frame_that_came_twice_is_a_double() -> None:
    track = tracked(frame(10, 20), frame(10, 20), frame(20, 40))
    assert track.doubles == 1
    assert judge([track.row()], ACKNOWLEDGED).short == 1


def test_messages_in_the_wrong_order_are_found_within_a_frame_and_between_frames() -> None:
    assert tracked(frame(10, 13, [11, 13, 12]), frame(13, 40)).disorders == 1
    assert tracked(frame(10, 20, [*range(12, 21)]), frame(20, 40, [11, *range(21, 41)])).disorders == 1


def test_a_message_that_a_frame_left_out_is_missed_though_its_seqs_are_in_order() -> None:
    track = tracked(frame(10, 20, [id for id in range(11, 21) if id != 15]), frame(20, 40))
    assert faults(track) == (0, 0, 0)
    assert judge([track.row()], ACKNOWLEDGED).short == 1


def test_one_message_in_place_of_another_is_found_though_the_count_is_right() -> None:
    track = tracked(frame(10, 20, [*range(11, 20), 41]), frame(20, 40))
    assert judge([track.row()], ACKNOWLEDGED).short == 1


def test_a_viewer_that_stopped_halfway_is_behind() -> None:
    assert judge([tracked(frame(10, 39)).row()], ACKNOWLEDGED) == Verdict(behind=1)


def test_who_comes_late_is_judged_from_its_snapshot_on() -> None:
    track = Track()
    track.take(News("reset", seq=25))
    track.take(frame(25, 40))
    assert judge([track.row()], ACKNOWLEDGED) == Verdict(whole=1)


def test_a_snapshot_on_the_way_counts_from_there() -> None:
    track = tracked(frame(10, 12), News("reset", seq=30), frame(30, 40))
    assert track.resets == 1
    assert judge([track.row()], ACKNOWLEDGED) == Verdict(whole=1)


@pytest.mark.parametrize("strange", [News("other"), News("changed", 40, 41)])
def test_messages_of_others_and_other_frames_change_nothing(strange: News) -> None:
    assert judge([tracked(frame(10, 40), strange).row()], ACKNOWLEDGED) == Verdict(whole=1)
