"""A Valkey without our user and settings: one can be asked for anything, and reads and writes files as an attacker's does."""

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from server.store.client import Store, StoreUnavailable, connect
from server.store.embedded import binary
from tests.waiting import until


def base(folder: Path) -> bytes:
    """The rewritten part of its append-only files: all that they hold of what lies in the store, and nothing of how it came."""
    return b"".join(path.read_bytes() for path in sorted((folder / "appendonlydir").glob("*.base.*")))


async def rewrite(store: Store) -> None:
    """Rewrite the append-only file, and wait until that is done."""
    redis = store.shards()[0].redis
    await redis.bgrewriteaof()

    async def done() -> bool:
        info = await redis.info("persistence")
        return not info["aof_rewrite_in_progress"] and not info["aof_rewrite_scheduled"]

    await until(done)


@contextlib.asynccontextmanager
async def plain(folder: Path, *options: str) -> AsyncIterator[Store]:
    """`folder`: with the files to begin with, or none. Texts are not compressed, so that they are found by searching."""
    folder.mkdir(exist_ok=True)
    socket = folder / "s"
    words: Sequence[str] = ["--port", "0", "--unixsocket", str(socket), "--dir", str(folder), "--save", "", "--appendonly", "yes"]
    process = subprocess.Popen(
        [str(binary()), *words, "--rdbcompression", "no", *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while True:
            with contextlib.suppress(StoreUnavailable):
                store = await connect(f"unix://{socket}")
                break
            await asyncio.sleep(0.02)
        yield store
        await store.close()
    finally:
        process.terminate()
        process.wait()
