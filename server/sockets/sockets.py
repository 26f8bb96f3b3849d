"""What all connections of a node share: the gateway, the wheel of heartbeats, the times by which things must have happened."""

import asyncio
import time
from collections import Counter
from typing import Any

import socketio

from protocol.limits import limit
from server.fanout.deadlines import Deadlines
from server.fanout.figures import figures
from server.fanout.heartbeat import PLACES_PER_S, Heartbeats
from server.gateway.gateway import Gateway
from server.sockets.connection import Connection
from server.sockets.join_queue import JoinQueue
from server.sockets.patience import Patience

CLOSE_S = 2.0
"""How long the answer to our Close is waited for, and what was written before it may take to be read."""


class Sockets:
    """`staff`: python-socketio, for everybody but the audience."""

    def __init__(self, gateway: Gateway, staff: socketio.AsyncServer) -> None:
        self.gateway = gateway
        self.staff = staff
        self.joins = JoinQueue()
        self.by_address: Counter[bytes] = Counter()
        self._connections: set[Connection] = set()
        self._heartbeats = Heartbeats()
        self._patience = Patience(time.monotonic())
        self._joining = Deadlines(lambda: limit("join_wait_s"), self._never_joined, lambda: self._patience.seconds)
        self.unfinished: Deadlines[Connection] = Deadlines(
            lambda: limit("frame_wait_s"), lambda connection: connection.refuse(3501, "unfinished_frame")
        )
        self.closing: Deadlines[Connection] = Deadlines(lambda: CLOSE_S, lambda connection: connection.cut())
        self._deadlines: list[Deadlines[Any]] = [self._joining, self.unfinished, self.closing]
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._connections)

    def all(self) -> list[Connection]:
        """Those that are open."""
        return list(self._connections)

    def start(self) -> None:
        """Begin to turn the wheel."""
        self._timer = asyncio.get_running_loop().call_later(1 / PLACES_PER_S, self._tick)

    async def stop(self) -> None:
        """Close what is still open, and wait until it is gone: at most as long as a close may take."""
        for connection in list(self._connections):
            connection.close(1001)
        for _ in range(int(CLOSE_S * 100)):
            if not self._connections:
                break
            await asyncio.sleep(0.01)
        for deadlines in self._deadlines:
            deadlines.end()
        if self._timer is not None:
            self._timer.cancel()

    def _tick(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(1 / PLACES_PER_S, self._tick)
        self._heartbeats.turn()
        self._patience.look(time.monotonic(), busy=len(self.joins) > 0)
        for deadlines in self._deadlines:
            deadlines.look()

    def also_look_at(self, deadlines: Deadlines[Any]) -> None:
        """With each tick of the wheel."""
        self._deadlines.append(deadlines)

    # --- the life of a connection ---
    def opened(self, connection: Connection) -> None:
        """It has asked for a WebSocket and got it."""
        self._connections.add(connection)
        self.by_address[connection.address] += 1
        figures.connections["none"] += 1
        self._joining.add(connection)

    def joined(self, connection: Connection) -> None:
        """Somebody joined from it."""
        self._patience.joined += 1
        self._joining.discard(connection)
        figures.connections["none"] -= 1
        self._heartbeats.add(connection)

    def left(self, connection: Connection) -> None:
        """Nothing more is read from it."""
        self._joining.discard(connection)
        self.unfinished.discard(connection)
        self._heartbeats.discard(connection)
        if not connection.members:
            figures.connections["none"] -= 1

    def lost(self, connection: Connection) -> None:
        """The connection has ended."""
        self.closing.discard(connection)
        self._connections.discard(connection)
        self.by_address[connection.address] -= 1
        if not self.by_address[connection.address]:
            del self.by_address[connection.address]

    def _never_joined(self, connection: Connection) -> None:
        if connection.waits_to_join:
            self._joining.add(connection)  # it is we who are late
        else:
            connection.refuse(3502, "never_joined")
