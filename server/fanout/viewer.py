"""One connection that looks at a view: where it stands, and what is done when it is slow."""

from typing import Protocol

from server.fanout.forms import Form


class Transport(Protocol):
    """What a viewer needs of a connection; asyncio's transports have it."""

    def write(self, data: bytes) -> None: ...
    def get_write_buffer_size(self) -> int: ...
    def is_closing(self) -> bool: ...


class Viewer:
    """`closed_by(code, wait)` ends the connection with a Bye; `wait` says when to come back, in ms, None: do not."""

    __slots__ = ("_close", "form", "seq", "slow_since", "transport")

    def __init__(self, transport: Transport, form: Form, close: "Close") -> None:
        self.transport = transport
        self.form = form
        self.seq = -1
        """Position in the log: what it was sent last. -1: it must get a snapshot."""
        self.slow_since: float | None = None
        self._close = close

    def backlog(self) -> int:
        """Bytes that wait for this connection in user space."""
        return self.transport.get_write_buffer_size()

    def write(self, ready: bytes) -> None:
        """Hand ready bytes to the connection."""
        if not self.transport.is_closing():
            self.transport.write(ready)

    def bye(self, code: int, come_back_after_ms: int | None) -> None:
        """Say why, and end the connection."""
        self._close(code, come_back_after_ms)


class Close(Protocol):
    """How a connection is ended: Bye first."""

    def __call__(self, code: int, come_back_after_ms: int | None) -> None: ...
