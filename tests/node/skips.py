"""A fault inside the node: viewers that are not sent what the node believes they were; and heartbeats when a test wants them."""

import contextlib
from collections.abc import Iterator

from protocol.names import Role
from server.fanout.viewer import GONE, Viewer
from tests.node.world import World


def viewers(world: World, role: Role = "audience") -> list[Viewer]:
    """All that look at a view here."""
    return world.runtime.room(role)._everybody()


@contextlib.contextmanager
def skipped(some: list[Viewer]) -> Iterator[None]:
    """What is written to them meanwhile goes nowhere, and nobody notices."""
    before = [viewer.transport for viewer in some]
    for viewer in some:
        rank = viewer.rank
        if rank is not None:
            rank.remove(viewer)
        viewer.transport, viewer.descriptor = GONE, -1
        if rank is not None:
            rank.add(viewer)
    yield
    for viewer, transport in zip(some, before, strict=True):
        viewer.transport = transport


def beat(world: World) -> None:
    """The next heartbeat of everybody."""
    for connection in world.node.door.sockets.all():
        connection.ping()
