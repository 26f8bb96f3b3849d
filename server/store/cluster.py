"""Redis Cluster: which server holds which slot, and a plain connection to each of them.

A town hall is one slot, so none of our steps ever spans two servers. That makes a map and plain clients enough, where
the library's cluster client would repeat commands by itself after an error; ours must not be sent twice unknowingly.
A slot that is being moved answers ASK or TRYAGAIN: its town hall is refused for that moment, others go on.
"""

import contextlib
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Any

import redis.asyncio as aredis
from redis.crc import key_slot

from server.store.border import StoreMoved, StoreRefused, StoreUnavailable, guarded
from server.store.shard import Shard

Address = tuple[str, int]


class Cluster:
    """`seeds`: servers to ask first. `options`: of every connection. The map is empty until `refresh()`."""

    def __init__(self, seeds: Sequence[Address], options: dict[str, Any]) -> None:
        self._seeds = list(seeds)
        self._options = options
        self._clients: dict[Address, Shard] = {}
        self._starts: list[int] = []
        self._ranges: list[tuple[int, Shard]] = []
        """(last slot, holder), in the order of `_starts`."""
        self._replicas: list[Address] = []

    def where(self, key: str) -> Shard:
        """The server that holds `key`; only what stands in braces counts, or all of it. Raises StoreMoved if none does."""
        slot = key_slot(key.encode())
        place = bisect_right(self._starts, slot) - 1
        if place >= 0 and slot <= self._ranges[place][0]:
            return self._ranges[place][1]
        raise StoreMoved(f"no server of the cluster holds slot {slot}", outcome_unknown=False)

    def shards(self) -> Sequence[Shard]:
        """Servers that hold slots now, in a fixed order."""
        return sorted({shard for _, shard in self._ranges}, key=lambda shard: shard.name)

    async def refresh(self) -> None:
        """Ask for the map: the first server that calls the cluster well, else the first that answers at all."""
        found: tuple[Address, Any] | None = None
        for address in self._askable():
            with contextlib.suppress(StoreUnavailable, StoreRefused):
                well, slots = await self._ask(address)
                if well or found is None:
                    found = address, slots
                if well:
                    break
        if found is None:
            raise StoreUnavailable("no server of the cluster answers", outcome_unknown=False)
        await self._take(*found)

    def _askable(self) -> Iterator[Address]:
        told = set[Address]()
        holders = {shard.name for _, shard in self._ranges}
        masters = [address for address, shard in self._clients.items() if shard.name in holders]
        for address in (*masters, *self._replicas, *self._seeds):
            if address not in told:
                told.add(address)
                yield address

    async def _ask(self, address: Address) -> tuple[bool, Any]:
        client = self._client(address).redis
        with guarded(write=False):
            async with client.pipeline(transaction=False) as pipe:
                pipe.execute_command("CLUSTER INFO")
                pipe.execute_command("CLUSTER SLOTS")
                info, slots = await pipe.execute()
        state = info.get("cluster_state") if isinstance(info, dict) else "ok" if b"cluster_state:ok" in info else "fail"
        return state == "ok", slots

    async def _take(self, asked: Address, slots: Any) -> None:
        ranges: list[tuple[int, int, Shard]] = []
        replicas: list[Address] = []
        for first, last, holder, *others in slots:
            ranges.append((first, last, self._client(_address(holder, asked))))
            replicas += [_address(other, asked) for other in others]
        ranges.sort(key=lambda one: one[0])
        self._starts = [first for first, _, _ in ranges]
        self._ranges = [(last, shard) for _, last, shard in ranges]
        self._replicas = replicas
        wanted = {*self._seeds, *replicas}
        for address, shard in list(self._clients.items()):
            if address not in wanted and not any(shard is holder for _, holder in self._ranges):
                del self._clients[address]
                await shard.close()

    def _client(self, address: Address) -> Shard:
        found = self._clients.get(address)
        if found is None:
            host, port = address
            name = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            found = self._clients[address] = Shard(name, aredis.Redis(host=host, port=port, **self._options))
        return found

    async def close(self) -> None:
        """Close all connections."""
        for shard in self._clients.values():
            await shard.close()


def _address(node: Any, asked: Address) -> Address:
    """Of an entry of CLUSTER SLOTS; a server that does not know its own address has the one it was asked at."""
    host = node[0].decode() if isinstance(node[0], bytes) else node[0]
    return (host if host and host != "?" else asked[0], int(node[1]))
