"""The last frames that a kind of connection was sent compressed: what the next one may refer to (see `deflate`)."""

from collections import deque

from server.fanout.deflate import WINDOW

FRAMES = 16
"""More help little more, and take longer to compress with."""


class Window:
    """Frames of consecutive flushes. Bounded by FRAMES, and by the bytes that a client keeps."""

    __slots__ = ("_frames", "_newest")

    def __init__(self) -> None:
        self._frames: deque[bytes] = deque()
        self._newest = 0

    def add(self, frame: bytes, number: int) -> None:
        """What flush `number`, the one after the last, sent."""
        self._frames.append(frame)
        self._newest = number
        while len(self._frames) > FRAMES or (len(self._frames) > 1 and sum(map(len, self._frames)) > WINDOW):
            self._frames.popleft()

    @property
    def oldest(self) -> int:
        """Number of the flush of the first frame: whoever was sent all since then has the whole window."""
        return self._newest - len(self._frames) + 1

    @property
    def last(self) -> bytes:
        """For those who were sent the last frame."""
        return self._frames[-1]

    @property
    def whole(self) -> bytes:
        """For those who were sent all of them."""
        return b"".join(self._frames)
