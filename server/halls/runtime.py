"""One town hall on this node: applies the log's entries, renders them for each view, hands them to the fan-out."""

import asyncio
import time
from collections.abc import Callable, Sequence

import structlog

from moderation.audit import advance
from moderation.evolve import Corrupt, evolve
from moderation.hall import Hall
from moderation.views import audience, director, host, overlay
from moderation.views.fold import name
from protocol import wire
from protocol.bus import LogCorrupt, UnknownEntry, unpack
from protocol.entries import (
    AuthorHeld,
    Entry,
    HallConfigured,
    LinkRevoked,
    LinksRenewed,
    MessageErased,
    MessageHeld,
    MessageRemoved,
)
from protocol.frames import Gauges
from protocol.limits import limit
from protocol.names import Role
from protocol.views import Fragment
from server.fanout.flusher import Flusher
from server.fanout.room import Room
from server.halls.awaiting import Awaiting
from server.halls.gauge_board import GaugeBoard, for_public
from server.mac import Mac

log = structlog.get_logger()

_HIDES = (MessageRemoved, MessageHeld, MessageErased)


class Runtime:
    """The state of one town hall and its rooms. A `store.follower.Sink`: called in order of seq, synchronously.

    `stopped` is a sentence for operators once the log could not be applied; everything is refused from then on.
    `author_key` is None once the town hall is closed: nothing ties a participant to a tag any more.
    """

    def __init__(
        self,
        code: str,
        *,
        on_too_old: Callable[[], None],
        flusher: Flusher,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.code = code
        self.hall = Hall.empty()
        self.epoch = 0
        self.seq = 0
        self.stopped: str | None = None
        self.author_key: Mac | None = None
        self.poll_key: tuple[int, bytes] | None = None
        """Of the open poll: its id, and what its ballots are made with."""
        self.dropped_polls: set[int] = set()
        """Closed ones of whose votes nothing is left in the store."""
        self.board = GaugeBoard()
        self.awaiting = Awaiting(wall)
        self.idle_since = clock()
        self._clock = clock
        self._wall = wall
        self._on_too_old = on_too_old
        self._flusher = flusher
        self._rooms: dict[tuple[Role, str], Room] = {}
        self._replaying = False
        self._held: dict[str, dict[object, Callable[[int, int | None], None]]] = {}

    def room(self, role: Role, id: str = "") -> Room:
        """The fan-out of one view; `id` is the director's for directors. Made at first use, dropped when long empty."""
        key = (role, id)
        if key not in self._rooms:
            self._rooms[key] = Room(
                snapshot=lambda: [wire.fragment(f) for f in self._snapshot(role, id)],
                position=lambda: (self.epoch, self.seq),
                gauges=lambda: wire.dumps(self._all_gauges(role)),
                flusher=self._flusher,
                clock=self._clock,
            )
        return self._rooms[key]

    @property
    def viewers(self) -> int:
        """Audience connections on all nodes, as last counted."""
        return self.board.viewers

    @property
    def viewers_here(self) -> int:
        """Audience connections on this node."""
        room = self._rooms.get(("audience", ""))
        return room.viewers if room else 0

    def occupied(self) -> bool:
        """Whether anybody looks at any view of this town hall here."""
        return any(room.viewers for room in self._rooms.values())

    # --- the sink of the follower ---
    def reset(self, epoch: int) -> None:
        """Forget everything: the log is read afresh, because it is new here or the store may have forgotten."""
        self.hall, self.epoch, self.seq = Hall.empty(), epoch, 0
        self.poll_key, self.board.poll = None, None
        self.dropped_polls.clear()
        if not self._replaying:
            self._replaying = True
            asyncio.get_running_loop().call_soon(self._end_replay)

    def _end_replay(self) -> None:
        self._replaying = False
        for room in self._rooms.values():
            room.reset()

    def entries(self, epoch: int, entries: Sequence[tuple[int, bytes, str | None]]) -> None:
        """Apply what follows. One entry that cannot be read or applied stops this town hall, and no other."""
        if self.stopped:
            return
        for seq, body, text in entries:
            try:
                entry = unpack(body, text)
                evolve(self.hall, seq, entry)
            except UnknownEntry as unknown:
                # Critical by default: skipping it would show people a state that is not the log's.
                self.stopped = f"entry {seq} needs a newer program: {unknown}"
                self._on_too_old()
                return self.bye(3011)
            except (LogCorrupt, Corrupt) as corrupt:
                return self.stop(f"entry {seq}: {corrupt}")
            advance(self.hall, seq, body)
            self.seq = seq
            self.board.touch(self.hall.touched)
            if self.poll_key is not None and self.poll_key[0] != self.hall.open_poll:
                self.poll_key = None
            if not self._replaying:
                self._show(seq, entry)

    def gauges(self, payload: bytes) -> None:
        """Figures that changed on some node."""
        self.board.take(payload)

    def stop(self, reason: str) -> None:
        """Stop this town hall loudly; others go on."""
        self.stopped = reason
        log.error("hall_stopped", hall=self.code, reason=reason)
        self.bye(3012)

    # --- rendering ---
    def _show(self, seq: int, entry: Entry) -> None:
        if isinstance(entry, LinkRevoked | LinksRenewed | HallConfigured):
            self.end_stale_links()
        self._drop_long_empty_rooms()
        gone = (entry.message,) if isinstance(entry, _HIDES) else entry.messages if isinstance(entry, AuthorHeld) else ()
        hidden = tuple(f"{kind}:{id}" for id in gone for kind in ("message", "question"))
        for (role, id), room in self._rooms.items():
            fragments = [(name(f), wire.fragment(f)) for f in self._render(role, id, seq, entry)]
            room.advance(seq, fragments, scrub=hidden)

    def _render(self, role: Role, id: str, seq: int, entry: Entry) -> Sequence[Fragment]:
        match role:
            case "audience":
                return audience.render(self.hall, seq, entry)
            case "host":
                return host.render(self.hall, seq, entry)
            case "director":
                return director.render(self.hall, seq, entry, id)
            case "overlay":
                return overlay.render(self.hall, seq, entry)
        return ()

    def _snapshot(self, role: Role, id: str) -> Sequence[Fragment]:
        match role:
            case "audience":
                return audience.snapshot(self.hall)
            case "host":
                return host.snapshot(self.hall)
            case "director":
                return director.snapshot(self.hall, id)
            case "overlay":
                return overlay.snapshot(self.hall)
        return ()

    def _all_gauges(self, role: Role) -> Gauges:
        found = self.board.all(self.hall)
        return found if role == "host" else for_public(self.hall, found) or Gauges()

    def _drop_long_empty_rooms(self) -> None:
        """A room is kept as long as its ring could serve somebody who comes back."""
        now = self._clock()
        for key, room in list(self._rooms.items()):
            if not room.viewers and now - room.empty_since > limit("ring_s"):
                del self._rooms[key]

    def show_gauges(self) -> None:
        """Send what changed since the last call to everybody; called about twice a second."""
        changed: Gauges | None = self.board.changed(self.hall)
        if changed is not None:
            public = for_public(self.hall, changed)
            bodies = wire.dumps(changed), public and wire.dumps(public)
            for (role, _), room in self._rooms.items():
                if body := bodies[0] if role == "host" else bodies[1]:
                    room.gauges(body)

    def bye(self, code: int) -> None:
        """Close every connection to this town hall, with a Bye first."""
        for room in self._rooms.values():
            room.bye_all(code)

    def untie(self) -> None:
        """Forget the author key, who waits, and which participants look on: nothing leads from them to what they wrote."""
        self.author_key = None
        self.awaiting = Awaiting(self._wall)
        for room in self._rooms.values():
            room.untie()

    # --- who is here by a staff link ---
    def hold(self, link: str, end: Callable[[int, int | None], None]) -> Callable[[], None]:
        """A live connection by the link `link`; `end(code, wait)` ends it. Call what is returned when it has ended."""
        held = self._held.setdefault(link, {})
        key = object()
        held[key] = end

        def release() -> None:
            held.pop(key, None)
            if not held and self._held.get(link) is held:
                del self._held[link]

        return release

    def live(self, link: str) -> int:
        """Connections on this node by the link `link`."""
        return len(self._held.get(link, ()))

    def end_stale_links(self) -> None:
        """End the connections of links that were revoked, have expired, or are for somebody no longer set up."""
        now = int(self._wall())
        for link_name, held in list(self._held.items()):
            link = self.hall.links.get(link_name)
            if link is None or not link.holds(now) or not self.hall.is_staff(link.role, link.id):
                for end in list(held.values()):
                    end(3506, None)
