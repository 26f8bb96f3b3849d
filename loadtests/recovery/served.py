"""A server as a process of its own, to be killed, stopped and started again."""

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import msgspec
import orjson

from loadtests.ports import free_ports
from protocol.setup import Department, Director, Host, Setup

START_S = 90.0
STOP_S = 20.0
SAID_MAX = 1_000_000
"""Characters of its output that are kept."""


class Served:
    """`townhall serve` on a free port; the same port again after a restart. `before`: words before the command."""

    setup = Setup(
        title="다시 오는 날",
        mode="open",
        departments=(Department(id="planning", name_ko="기획조정실", name_en="Planning"),),
        directors=(Director(id="d1", department="planning", name="한도윤", name_en="Han Doyun", title="실장"),),
        hosts=(Host(id="host-1", name="진행팀"),),
    )

    def __init__(self, data: Path, *, before: tuple[str, ...] = (), environ: Mapping[str, str] | None = None) -> None:
        self.data = data
        self.port, _ = free_ports(2)
        self.url = ""
        self.organiser = ""
        self.said = ""
        self._before = before
        self._environ = environ or {}
        self.process: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Until it says where it listens."""
        self.process = await asyncio.create_subprocess_exec(
            *self._before,
            sys.executable,
            "-m",
            "server",
            "serve",
            "--port",
            str(self.port),
            "--data",
            str(self.data),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, "TOWNHALL_DRAIN_S": "1", **self._environ},
        )
        assert self.process.stdout is not None
        self.said = ""
        async with asyncio.timeout(START_S):
            while "listening on" not in self.said:
                line = await self.process.stdout.readline()
                assert line, f"it ended: {self.said}"
                self.said += line.decode()
        self.url = re.search(r"listening on (\S+)", self.said)[1]  # type: ignore[index]  # it said so
        self.organiser = re.search(r"organiser: \S+#(\S+)", self.said)[1]  # type: ignore[index]  # and this before
        self.port = int(self.url.rsplit(":", 1)[1])
        self._listening = asyncio.create_task(self._listen(self.process.stdout), name="what-it-says")

    async def _listen(self, stdout: asyncio.StreamReader) -> None:
        """Read on: it must not stand still before a full pipe, and what it logged explains a failure."""
        while line := await stdout.readline():
            self.said = (self.said + line.decode(errors="replace"))[-SAID_MAX:]

    @property
    def pid(self) -> int:
        """Of the server's process."""
        assert self.process is not None
        return self.process.pid

    def valkey_pid(self) -> int:
        """Of the Valkey that holds this data folder, whoever started it; 0: there is none."""
        for folder in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if folder.name.isdigit() and "valkey-server" in (folder / "cmdline").read_text():
                    if str(self.data.resolve()) in str((folder / "cwd").readlink()):
                        return int(folder.name)
        return 0

    async def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()

    async def stop(self) -> None:
        """As Ctrl-C does; the Valkey too, also one that was orphaned."""
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(signal.SIGINT)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STOP_S):
                    await self.process.wait()
            if self.process.returncode is None:
                await self.kill()
        if pid := self.valkey_pid():
            os.kill(pid, signal.SIGKILL)

    async def open_hall(self, session: aiohttp.ClientSession, code: str = "TESTED") -> None:
        """Create and open a town hall."""
        headers = {"Authorization": f"Bearer {self.organiser}"}
        body = {"code": code, "setup": msgspec.to_builtins(self.setup)}
        async with session.post(f"{self.url}/api/v1/halls", headers=headers, data=orjson.dumps(body)) as response:
            assert (await response.json())["ok"], await response.text()
        assert (await self.organise(session, "hall:open", {}, code))["ok"]

    async def organise(self, session: aiohttp.ClientSession, command: str, payload: dict[str, Any], code: str = "TESTED") -> Any:
        """A command of the organiser."""
        headers = {"Authorization": f"Bearer {self.organiser}"}
        body = {"command": command, "payload": {"client_id": uuid4().hex, **payload}}
        async with session.post(
            f"{self.url}/api/v1/halls/{code}/organiser/commands", headers=headers, data=orjson.dumps(body)
        ) as response:
            return await response.json()

    async def messages(self, session: aiohttp.ClientSession, code: str = "TESTED") -> list[tuple[int, str]]:
        """(id, text) of the record's messages, in order."""
        headers = {"Authorization": f"Bearer {self.organiser}"}
        async with session.get(f"{self.url}/api/v1/halls/{code}/export/record.jsonl", headers=headers) as response:
            lines = [orjson.loads(line) for line in (await response.text()).splitlines()]
        return [(line["id"], line["text"]) for line in lines if line["record"] == "message"]

    async def published(self, session: aiohttp.ClientSession, code: str = "TESTED") -> list[str]:
        """Texts of the record, in order."""
        return [text for _, text in await self.messages(session, code)]
