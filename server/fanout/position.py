"""Where a viewer should stand, said with each heartbeat: a frame that covers nothing.

A lost frame shows with the next one, whose `after` does not fit. Where the lost one was the last, nothing would follow, and the
viewer would never know. What is said here is where the node believes it to be; whoever is not there asks for what it missed.
"""

from functools import lru_cache

from protocol import wire
from protocol.frames import CHANGED
from server.fanout.forms import Form
from server.fanout.viewer import Viewer

KEPT = 256
"""Nearly all viewers of a town hall stand at one place."""


def position(viewer: Viewer, epoch: int) -> bytes:
    """Ready bytes for `viewer`; b"": it is being brought to the present, and has nothing to compare."""
    return b"" if viewer.slow or viewer.stands < 0 else _position(viewer.form, epoch, viewer.stands)


@lru_cache(KEPT)
def _position(form: Form, epoch: int, seq: int) -> bytes:
    return form.aside(CHANGED, wire.position(epoch, seq))
