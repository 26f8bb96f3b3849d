"""A port that several processes share: each listens on it, and the kernel spreads who connects (SO_REUSEPORT, socket(7)).

One socket handed to all would be fairer to the connections that wait in its queue when a worker dies, but then asyncio
lets whoever wakes first take everything that waits, up to the whole backlog: in a storm one worker would get it all.
What dies with a worker's queue is refused at once and comes back; pages do so by themselves.
"""

import asyncio
import contextlib
import errno
import socket
import time

TAKEN_S = 3.0
"""How long the workers of a server that was killed may take to notice it and let the port go."""


class Port:
    """Bound, but never listening: keeps the number for as long as workers come and go."""

    def __init__(self, sockets: list[socket.socket]) -> None:
        self._sockets = sockets
        self.number: int = sockets[0].getsockname()[1]

    def close(self) -> None:
        """Let it go."""
        for one in self._sockets:
            one.close()


async def reserve(host: str, port: int) -> Port:
    """Bind HOST:PORT for ourselves and our workers; 0 takes a free one. Raises OSError as bind(2) does."""
    ends = time.monotonic() + TAKEN_S
    while True:
        try:
            return _bound(host, port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > ends:
                raise
        await asyncio.sleep(0.1)


def _bound(host: str, port: int) -> Port:
    with contextlib.ExitStack() as stack:
        bound: list[socket.socket] = []
        for family, kind, protocol, _, address in dict.fromkeys(
            socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        ):
            at = (address[0], port, *address[2:])
            # Anybody of the same user may join a port that is shared: first see that nobody has it.
            with _socket(family, kind, protocol) as alone:
                alone.bind(at)
                port = alone.getsockname()[1]
            shared = stack.enter_context(_socket(family, kind, protocol))
            shared.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            shared.bind((address[0], port, *address[2:]))
            bound.append(shared)
        stack.pop_all()
        return Port(bound)


def _socket(family: int, kind: int, protocol: int) -> socket.socket:
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    return made
