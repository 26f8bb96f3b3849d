"""An appender, a follower and what it heard: for tests of the log on a real store."""

import asyncio
from collections.abc import Sequence
from typing import Any

from server.store.appender import Answer, Append, Appender, NewEntry
from server.store.client import Store
from server.store.follower import Follower
from server.store.log import Stored

CODE = "TESTED"


class Heard:
    """A sink that keeps everything."""

    def __init__(self) -> None:
        self.entries_: list[Stored] = []
        self.epochs: list[int] = []
        self.gauges_: list[bytes] = []
        self.stopped: str | None = None

    def reset(self, epoch: int) -> None:
        self.epochs.append(epoch)
        self.entries_ = []

    def entries(self, epoch: int, entries: Sequence[Stored]) -> None:
        assert epoch == self.epochs[-1]
        assert entries[0][0] == len(self.entries_) + 1
        self.entries_ += entries

    def gauges(self, payload: bytes) -> None:
        self.gauges_.append(payload)

    def stop(self, reason: str) -> None:
        self.stopped = reason

    @property
    def seq(self) -> int:
        return len(self.entries_)


class Bench:
    """One node's share of the log."""

    def __init__(self, store: Store) -> None:
        self.store = store
        followers: list[Follower] = []
        self.appender = Appender(store, known=lambda code: followers[0].known(code))
        self.follower = Follower(store, self.appender)
        followers.append(self.follower)

    async def start(self) -> None:
        await self.follower.start()

    async def stop(self) -> None:
        await self.follower.stop()
        await self.appender.stop()

    async def append(self, body: str, *, text: str | None = None, key: str | None = None, **more: Any) -> Answer:
        return await self.appender.append(
            Append(
                CODE, (NewEntry(body.encode(), text),), key.encode() if key else None, body.encode(), b"r" + body.encode(), **more
            )
        )

    async def follow(self) -> Heard:
        heard = Heard()
        await self.follower.follow(CODE, heard)
        return heard


async def gather(*awaitables: Any) -> list[Any]:
    return list(await asyncio.gather(*awaitables))
