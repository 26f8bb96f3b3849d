"""Connections to the store from a URL, and the border at which its errors become ours."""

import contextlib
from collections.abc import Iterator
from typing import Any

import redis.asyncio as aredis
import redis.exceptions as errors
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

TIMEOUT_S = 3.0
"""A command that has not answered by then counts as unanswered; its outcome may be unknown."""
CONNECTIONS = 64


class StoreUnavailable(Exception):
    """The store did not answer. `outcome_unknown`: a write may have happened; repeat it with the same client id."""

    def __init__(self, why: str, *, outcome_unknown: bool) -> None:
        super().__init__(why)
        self.outcome_unknown = outcome_unknown


class StoreRefused(Exception):
    """The store answered no, and wrote nothing. `code`: `disk_full`, `memory_full`, `read_only` or `other`."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code


class Store:
    """One Redis-protocol server (or Sentinel's present master). `redis` speaks bytes; use it under `guarded()`."""

    def __init__(self, client: aredis.Redis, version: str) -> None:
        self.redis: Any = client  # its stubs cannot tell a bytes client from a decoding one
        self.version = version

    async def run_id(self) -> str:
        """The server's identity: new at each of its starts. Raises StoreUnavailable."""
        with guarded(write=False):
            info = await self.redis.info("server")
        return str(info["run_id"])

    async def ping(self) -> None:
        """Raises StoreUnavailable, StoreRefused."""
        with guarded(write=False):
            await self.redis.ping()

    def pubsub(self) -> Any:
        """A connection of its own for following channels."""
        return self.redis.pubsub()

    async def close(self) -> None:
        """Close all connections."""
        await self.redis.aclose()


async def connect(url: str, *, timeout_s: float = TIMEOUT_S) -> Store:
    """A store from `unix://`, `redis://`, `rediss://` or `redis+sentinel://HOST:PORT,HOST:PORT/NAME`.

    Nothing is retried silently: a script that is sent twice must be sent by somebody who knows that it is.
    Raises StoreUnavailable, ValueError for another scheme.
    """
    options: dict[str, Any] = {
        "socket_timeout": timeout_s,
        "socket_connect_timeout": timeout_s,
        "retry": Retry(NoBackoff(), 0),
        "max_connections": CONNECTIONS,
    }
    if url.startswith("redis+sentinel://"):
        hosts, _, name = url.removeprefix("redis+sentinel://").partition("/")
        nodes = [(h.rpartition(":")[0], int(h.rpartition(":")[2])) for h in hosts.split(",")]
        sentinel: Any = aredis.Sentinel(nodes, socket_timeout=timeout_s)  # type: ignore[no-untyped-call]  # as it comes
        client = sentinel.master_for(name or "mymaster", **options)
    elif url.split("://")[0] in ("unix", "redis", "rediss"):
        client = aredis.Redis.from_url(url, **options)
    else:
        raise ValueError(f"{url.split('://')[0]}:// is no address of a store: use unix, redis, rediss or redis+sentinel")
    with guarded(write=False):
        info = await client.info("server")
    return Store(client, str(info.get("valkey_version") or info.get("redis_version")))


@contextlib.contextmanager
def guarded(*, write: bool) -> Iterator[None]:
    """Turns the library's errors into StoreUnavailable and StoreRefused. `write`: whether it may have changed anything."""
    try:
        yield
    except (errors.ConnectionError, errors.TimeoutError, OSError, TimeoutError) as error:
        refused_at_the_door = "connecting to" in str(error) or isinstance(error, errors.BusyLoadingError)
        raise StoreUnavailable(str(error), outcome_unknown=write and not refused_at_the_door) from error
    except errors.ResponseError as error:
        raise StoreRefused(_refusal(str(error)), str(error)) from error


def _refusal(words: str) -> str:
    if "MISCONF" in words:
        return "disk_full"
    if "OOM" in words:
        return "memory_full"
    if "READONLY" in words or "MASTERDOWN" in words:
        return "read_only"
    return "other"
