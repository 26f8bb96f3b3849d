"""A storm of joins becomes no storm of pings; who answers stays, who does not is gone after PONG_S."""

from collections import Counter

from server.fanout.deadlines import Deadlines
from server.fanout.heartbeat import PING_S, PLACES, PLACES_PER_S, PONG_S, Heartbeats


class Client:
    """`now` counts the turns of the wheel."""

    def __init__(self, answers: bool, now: list[int]) -> None:
        self.place = -1
        self.answers = answers
        self.asked = False
        self.pings: list[int] = []
        self.gone_at: int | None = None
        self._now = now

    def ping(self) -> None:
        self.pings.append(self._now[0])
        self.asked = not self.answers

    def check(self) -> None:
        if self.asked:
            self.gone_at = self._now[0]


def turned(clients: list[Client], now: list[int], turns: int) -> None:
    wheel = Heartbeats()
    for client in clients:
        wheel.add(client)
    for _ in range(turns):
        now[0] += 1
        wheel.turn()
        for client in clients:
            if client.gone_at == now[0]:
                wheel.discard(client)


def test_pings_of_those_who_came_at_once_are_spread_and_come_every_time() -> None:
    now = [0]
    clients = [Client(True, now) for _ in range(5_000)]
    turned(clients, now, 3 * PLACES)
    assert all(len(client.pings) == 3 for client in clients)
    assert all(b - a == PLACES for client in clients for a, b in zip(client.pings, client.pings[1:], strict=False))
    most = max(Counter(client.pings[0] for client in clients).values())
    assert most < 2 * 5_000 / PLACES


def test_who_does_not_answer_is_gone_in_time_and_is_not_asked_again() -> None:
    now = [0]
    silent = [Client(False, now) for _ in range(100)]
    turned(silent, now, 2 * PLACES)
    for client in silent:
        assert client.gone_at is not None
        assert len(client.pings) == 1
        assert client.gone_at - client.pings[0] == PONG_S * PLACES_PER_S
        assert client.gone_at <= (PING_S + PONG_S) * PLACES_PER_S


def test_deadlines_call_each_that_is_late_once_and_no_other() -> None:
    now, late = [0.0], list[str]()
    deadlines: Deadlines[str] = Deadlines(lambda: 5.0, late.append, lambda: now[0])
    deadlines.add("a")
    now[0] = 3.0
    deadlines.add("b")
    deadlines.add("a")
    deadlines.add("c")
    deadlines.discard("c")
    for at, expected in ((4.9, list[str]()), (5.0, ["a"]), (7.9, ["a"]), (8.0, ["a", "b"]), (99.0, ["a", "b"])):
        now[0] = at
        deadlines.look()
        assert late == expected
    assert len(deadlines) == 0
    deadlines.add("d")
    deadlines.end()
    assert late == ["a", "b", "d"]
