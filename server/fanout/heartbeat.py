"""One wheel for the heartbeats of all connections: each has a place on it, drawn by chance, so that a storm of joins does
not become a storm of pings. Turned by a monotonic clock, whoever sets the other one.
"""

import random
from typing import Protocol

PING_S = 24
"""Whoever missed the last frame hears so with the next ping (`position`), within 25 s."""
PONG_S = 20
PLACES_PER_S = 2
PLACES = PING_S * PLACES_PER_S


class Beating(Protocol):
    """A connection. `place` is the wheel's, -1: it is not on it."""

    place: int

    def ping(self) -> None:
        """Ask whether anybody is there."""

    def check(self) -> None:
        """End it if it has not answered."""


class Heartbeats:
    """`turn` is to be called PLACES_PER_S times a second."""

    def __init__(self) -> None:
        self._wheel: list[set[Beating]] = [set() for _ in range(PLACES)]
        self._now = 0

    def add(self, connection: Beating) -> None:
        """Its first ping comes within PING_S, the next ones every PING_S."""
        connection.place = random.randrange(PLACES)
        self._wheel[connection.place].add(connection)

    def discard(self, connection: Beating) -> None:
        """It needs no pings any more."""
        if connection.place >= 0:
            self._wheel[connection.place].discard(connection)
            connection.place = -1

    def turn(self) -> None:
        """One place on: ping those who stand there, and see who has not answered in PONG_S."""
        self._now = (self._now + 1) % PLACES
        for connection in tuple(self._wheel[self._now - PONG_S * PLACES_PER_S]):
            connection.check()
        for connection in tuple(self._wheel[self._now]):
            connection.ping()
