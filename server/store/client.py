"""The store from a URL: one server, Sentinel's present master, or a cluster of several."""

import itertools
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

import redis.asyncio as aredis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from server.store.border import StoreMoved, StoreRefused, StoreSilent, StoreUnavailable, guarded
from server.store.cluster import Cluster
from server.store.keys import HALLS
from server.store.shard import Shard

__all__ = ["Store", "StoreMoved", "StoreRefused", "StoreSilent", "StoreUnavailable", "connect", "guarded"]

TIMEOUT_S = 2.5
"""A command that has not answered by then counts as unanswered; its outcome may be unknown. Whoever posts is told within 3 s."""
CONNECTIONS = 64
"""Open connections to one server, at most."""


class Store:
    """Where town halls are kept. On one server everything is in its one shard; `cluster` knows who holds what of several."""

    def __init__(
        self, version: str, shard: Shard | None = None, cluster: Cluster | None = None, sentinels: Sequence[Any] = ()
    ) -> None:
        self.version = version
        self._shard = shard
        self._cluster = cluster
        self._sentinels = sentinels

    def where(self, key: str) -> Shard:
        """The server that holds the town hall `key` (or a key without a hash tag). Raises StoreMoved if nobody does."""
        if self._shard is not None:
            return self._shard
        assert self._cluster is not None
        return self._cluster.where(key)

    def of(self, code: str) -> Any:
        """A client for all that belongs to the town hall `code`; use it under `guarded()`."""
        return self.where(code).redis

    @property
    def listed(self) -> Any:
        """A client for the list of town halls."""
        return self.where(HALLS).redis

    def shards(self) -> Sequence[Shard]:
        """All servers that hold anything now."""
        if self._shard is not None:
            return (self._shard,)
        assert self._cluster is not None
        return self._cluster.shards()

    def tag(self, shard: Shard, stem: str) -> str:
        """A hash tag beginning with `stem` whose keys and channels are on `shard`. Raises StoreMoved where it has no slot."""
        if self._shard is not None:
            return stem
        if shard not in self.shards():
            raise StoreMoved(f"{shard.name} holds nothing", outcome_unknown=False)
        return next(tag for n in itertools.count() if self.where(tag := f"{stem}-{n}") is shard)

    async def refresh(self) -> None:
        """Learn anew who holds what. Raises StoreUnavailable; what was known before stays."""
        if self._cluster is not None:
            await self._cluster.refresh()

    async def close(self) -> None:
        """Close all connections."""
        if self._shard is not None:
            await self._shard.close()
        if self._cluster is not None:
            await self._cluster.close()
        for sentinel in self._sentinels:
            await sentinel.aclose()


async def connect(url: str, *, timeout_s: float = TIMEOUT_S) -> Store:
    """A store from `unix://`, `redis://`, `rediss://`, `redis+sentinel://[USER:PASSWORD@]HOST:PORT,HOST:PORT/NAME` or
    `redis+cluster://[USER:PASSWORD@]HOST:PORT,HOST:PORT` (`rediss+…` with TLS).

    Nothing is retried silently: a script that is sent twice must be sent by somebody who knows that it is.
    Raises StoreUnavailable, ValueError for another scheme.
    """
    options: dict[str, Any] = {
        "socket_timeout": timeout_s,
        "socket_connect_timeout": timeout_s,
        "retry": Retry(NoBackoff(), 0),
        "max_connections": CONNECTIONS,
    }
    sentinels: Sequence[Any] = ()
    scheme, _, rest = url.partition("://")
    match scheme:
        case "unix" | "redis" | "rediss":
            client = aredis.Redis.from_url(url, **options)
            name = url.rpartition("@")[2].removeprefix(f"{scheme}://")
        case "redis+sentinel" | "rediss+sentinel":
            who, addresses, name = _several(rest)
            tls = {"ssl": True} if scheme.startswith("rediss") else {}
            sentinel: Any = aredis.Sentinel(addresses, socket_timeout=timeout_s, **tls)  # type: ignore[no-untyped-call]  # as it comes
            sentinels = sentinel.sentinels
            client = sentinel.master_for(name or "mymaster", **options, **who, **tls)
        case "redis+cluster" | "rediss+cluster":
            who, addresses, _ = _several(rest)
            tls = {"ssl": True} if scheme.startswith("rediss") else {}
            cluster = Cluster(addresses, {**options, **who, **tls})
            try:
                await cluster.refresh()
                return Store(_version(await _info(cluster.shards()[0].redis)), cluster=cluster)
            except BaseException:
                await cluster.close()
                raise
        case _:
            raise ValueError(f"{scheme}:// is no address of a store: use unix, redis, rediss, redis+sentinel or redis+cluster")
    store = Store("", Shard(name, client), sentinels=sentinels)
    try:
        store.version = _version(await _info(client))
    except BaseException:
        await store.close()
        raise
    return store


async def _info(client: Any) -> dict[str, Any]:
    with guarded(write=False):
        info: dict[str, Any] = await client.info("server")
    return info


def _version(info: dict[str, Any]) -> str:
    return str(info.get("valkey_version") or info.get("redis_version"))


def _several(rest: str) -> tuple[dict[str, str], list[tuple[str, int]], str]:
    """(user and password, addresses, name) of `USER:PASSWORD@HOST:PORT,HOST:PORT/NAME`. Raises ValueError."""
    who, _, places = rest.rpartition("@")
    hosts, _, name = places.partition("/")
    addresses = []
    for place in hosts.split(","):
        host, _, port = place.rpartition(":")
        addresses.append((host.strip("[]"), int(port)))
    user, _, password = who.partition(":")
    named = {"username": unquote(user)} if user else {}
    return named | ({"password": unquote(password)} if password else {}), addresses, name
