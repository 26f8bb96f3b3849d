"""One connection that looks at a view: where it stands, and what is done when it is slow."""

from typing import TYPE_CHECKING, Protocol

from server.fanout.forms import Form

if TYPE_CHECKING:
    from server.fanout.rank import Rank
    from server.fanout.section import Section


class Transport(Protocol):
    """What a viewer needs of a connection; asyncio's transports have it."""

    def write(self, data: bytes) -> None: ...


class _Gone:
    """Stands where the transport of a viewer stood that has left: it may be in the middle of a flush."""

    def write(self, data: bytes) -> None:
        """Nobody is there."""


GONE = _Gone()


class Viewer:
    """Subclasses know how their connection ends and when it flows again; each tells its room when it does not."""

    __slots__ = ("descriptor", "form", "rank", "section", "seq", "slow", "transport")

    def __init__(self, transport: Transport, form: Form) -> None:
        self.transport = transport
        self.form = form
        self.descriptor = -1
        """Of its socket, if what it has room for may be written there; -1: only to `transport`. Set before it joins."""
        self.rank: Rank | None = None
        """Those who are sent the same; they know where it stands."""
        self.section: Section | None = None
        """Those who are written to in one go; None: it has not joined, has left, or is slow."""
        self.seq = -1
        """Outside of a rank, position in the log: what it was sent last. -1: it must get a snapshot."""
        self.slow = False
        """Whether it gets nothing until it has taken what it was sent."""

    @property
    def stands(self) -> int:
        """Position in the log of what it was sent last, as `seq`, in a rank or not."""
        return self.seq if self.rank is None else self.rank.seq

    def flows(self) -> bool:
        """Whether it has taken what it was sent."""
        raise NotImplementedError

    def bye(self, code: int, come_back_after_ms: int | None) -> None:
        """Say why and when to come back (None: do not), and end the connection."""
        raise NotImplementedError

    def untie(self) -> None:
        """Forget whatever leads from whoever looks on to what they wrote: the town hall is closed."""
