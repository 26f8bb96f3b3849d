"""All viewers of one room and one form: in ranks those who are sent the same, apart those who are on their own."""

from collections.abc import Iterator

from server.fanout.rank import MOST, Rank
from server.fanout.viewer import Viewer


class Group:
    """A viewer is in one rank or in `apart`."""

    __slots__ = ("apart", "ranks")

    def __init__(self) -> None:
        self.apart: set[Viewer] = set()
        self.ranks: list[Rank] = []

    def __len__(self) -> int:
        return len(self.apart) + sum(map(len, self.ranks))

    def __iter__(self) -> Iterator[Viewer]:
        yield from self.apart
        for rank in self.ranks:
            yield from rank

    def __contains__(self, viewer: Viewer) -> bool:
        return viewer.rank is not None or viewer in self.apart

    def discard(self, viewer: Viewer) -> None:
        """It is not here any more; it knows where it stands."""
        self.apart.discard(viewer)
        if viewer.rank is not None:
            viewer.rank.remove(viewer)

    def part(self, viewer: Viewer) -> None:
        """It goes on its own from where it is."""
        if viewer.rank is not None:
            viewer.rank.remove(viewer)
            self.apart.add(viewer)

    def part_all(self, rank: Rank) -> None:
        """The same for all of `rank`."""
        for viewer in tuple(rank):
            self.part(viewer)

    def fall_in(self, viewer: Viewer, seq: int, flush: int, since: int) -> None:
        """It was sent what everybody was sent in `flush`, and will be."""
        self.apart.discard(viewer)
        last = self.ranks[-1] if self.ranks else None
        if last is None or len(last) >= MOST or (last.seq, last.flush, last.since) != (seq, flush, since):
            last = Rank(seq, flush, since)
            self.ranks.append(last)
        last.add(viewer)

    def close_ranks(self, settled: int) -> None:
        """Make one of two that are less than half full. `settled`: number of a flush; since when before that is all the same."""
        kept: list[Rank] = []
        small: dict[tuple[int, int], Rank] = {}
        for rank in self.ranks:
            if rank.since <= settled:
                rank.since = 0
            place = (rank.flush, rank.since)
            if len(rank) >= MOST // 2:
                kept.append(rank)
            elif place in small:
                for viewer in tuple(rank):
                    rank.remove(viewer)
                    small[place].add(viewer)
                if len(small[place]) >= MOST // 2:
                    del small[place]
            elif len(rank):
                small[place] = rank
                kept.append(rank)
        self.ranks = kept
