"""How many are watching is told to a small room at once, and to a large one the less often the larger it is."""

from moderation.hall import Hall
from server.halls.gauge_board import VIEWERS_PER_S, GaugeBoard


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def told(board: GaugeBoard, viewers: int) -> int | None:
    """What everybody is told when there are so many."""
    board.viewers = viewers
    changed = board.changed(Hall.empty())
    return None if changed is None else changed.viewers


def test_a_small_room_is_told_of_everybody_who_comes() -> None:
    clock = Clock()
    board = GaugeBoard(clock)
    assert told(board, 1) == 1
    for viewers in range(2, 100):
        clock.now += 0.5
        assert told(board, viewers) == viewers


def test_a_large_one_waits_as_long_as_it_is_large_and_then_hears_the_last_figure() -> None:
    clock = Clock()
    board = GaugeBoard(clock)
    assert told(board, 10_000) == 10_000, "the first figure waits for nothing"
    for late, viewers in ((0.5, 11_000), (4.0, 11_500), (5.9, 12_000)):
        clock.now = 1_000 + late
        assert told(board, viewers) is None
    clock.now = 1_000 + 12_000 / VIEWERS_PER_S + 0.1
    assert told(board, 12_000) == 12_000, "also when nobody came since"
    clock.now += 60
    assert told(board, 12_050) is None, "fifty among twelve thousand are no news"


def test_support_does_not_wait_for_the_number_of_viewers() -> None:
    clock = Clock()
    board = GaugeBoard(clock)
    told(board, 10_000)
    board.put(7, 3)
    board.viewers = 12_000
    changed = board.changed(Hall.empty())
    assert changed is not None and changed.viewers is None and changed.support == {7: 3}
