"""One server of the store. It holds whole town halls: all of one's keys share a hash tag, hence a slot, hence a server."""

import asyncio
import contextlib
from typing import Any

import redis.asyncio as aredis

from server.store.border import guarded

CLOSE_S = 2.0


class Shard:
    """`name`: its address, without a password. `redis` speaks bytes; use it under `guarded()`."""

    def __init__(self, name: str, client: aredis.Redis) -> None:
        self.name = name
        self.redis: Any = client  # its stubs cannot tell a bytes client from a decoding one
        self._scripts: dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"Shard({self.name!r})"

    def script(self, text: str) -> Any:
        """A script of ours here: called by its hash, loaded where the server does not know it yet."""
        if text not in self._scripts:
            self._scripts[text] = self.redis.register_script(text)
        return self._scripts[text]

    async def run_id(self) -> str:
        """The server's identity: new at each of its starts. Raises StoreUnavailable."""
        with guarded(write=False):
            info = await self.redis.info("server")
        return str(info["run_id"])

    def pubsub(self) -> Any:
        """A connection of its own for following channels."""
        return self.redis.pubsub()

    async def close(self) -> None:
        """Close all connections; one whose other end is stuck is not waited for."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await self.redis.aclose()
