"""A server as a process of its own, to be killed; and people who post to it and remember what was acknowledged."""

import asyncio
import contextlib
import os
import re
import signal
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import msgspec
import orjson

from loadtests.client import Client, NotAdmitted, ticket
from tests.ports import free_ports
from tests.town import SETUP


class Served:
    """`townhall serve` on a free port; the same port again after a restart."""

    def __init__(self, data: Path, *, before: tuple[str, ...] = (), environ: dict[str, str] | None = None) -> None:
        self.data = data
        self.port, _ = free_ports(2)
        self.url = ""
        self.organiser = ""
        self.said = ""
        self._before = before
        self._environ = environ or {}
        self.process: asyncio.subprocess.Process | None = None

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
        async with asyncio.timeout(90):
            while "listening on" not in self.said:
                line = await self.process.stdout.readline()
                assert line, f"it ended: {self.said}"
                self.said += line.decode()
        self.url = re.search(r"listening on (\S+)", self.said)[1]  # type: ignore[index]
        self.organiser = re.search(r"organiser: \S+#(\S+)", self.said)[1]  # type: ignore[index]
        self.port = int(self.url.rsplit(":", 1)[1])

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def valkey_pid(self) -> int:
        """Of the Valkey that holds this data folder, whoever started it."""
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
                async with asyncio.timeout(20):
                    await self.process.wait()
            if self.process.returncode is None:
                await self.kill()
        if pid := self.valkey_pid():
            os.kill(pid, signal.SIGKILL)

    async def open_hall(self, session: aiohttp.ClientSession, code: str = "TESTED") -> None:
        """Create and open a town hall."""
        headers = {"Authorization": f"Bearer {self.organiser}"}
        body = {"code": code, "setup": msgspec.to_builtins(SETUP)}
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

    async def published(self, session: aiohttp.ClientSession, code: str = "TESTED") -> list[str]:
        """Texts of the record, in order."""
        headers = {"Authorization": f"Bearer {self.organiser}"}
        async with session.get(f"{self.url}/api/v1/halls/{code}/export/record.jsonl", headers=headers) as response:
            lines = [orjson.loads(line) for line in (await response.text()).splitlines()]
        return [line["text"] for line in lines if line["record"] == "message"]


class Poster:
    """Posts one text after another, again with the same client id until it is acknowledged, across reconnects."""

    def __init__(self, session: aiohttp.ClientSession, served: Served, name: str) -> None:
        self._session = session
        self._served = served
        self._name = name
        self.acknowledged: dict[str, int] = {}
        self.refused: list[str] = []
        self.seen: list[str] = []
        self.disconnects = 0
        self.stopping = False
        self._token = ""
        self.client: Client | None = None

    async def run(self, count: int, pause_s: float = 0.05) -> None:
        """Up to `count` texts."""
        for number in range(count):
            if self.stopping:
                return
            await self._post(f"{self._name}의 글 {number}", uuid4().hex)
            await asyncio.sleep(pause_s)

    async def _post(self, text: str, client_id: str) -> None:
        for _ in range(200):
            try:
                client = await self._connected()
                ack = await client.call("message:post", {"client_id": client_id, "text": text})
            except (TimeoutError, ConnectionError, aiohttp.ClientError, NotAdmitted):
                if self.client is not None and not self.client.connected:
                    self.disconnects += 1
                await asyncio.sleep(0.1)
                continue
            if ack["ok"]:
                assert text not in self.acknowledged
                self.acknowledged[text] = ack["seq"]
                return
            self.refused.append(ack["error"]["code"])
            assert ack["error"]["code"] in ("not_saved", "unknown_outcome", "busy", "disk_full", "too_fast", "draining"), ack
            if ack["error"]["code"] == "disk_full" and self.stopping:
                return
            await asyncio.sleep(0.3)
        raise AssertionError(f"never acknowledged: {text}")

    async def _connected(self) -> Client:
        if self.client is None or not self.client.connected:
            self._token = self._token or await ticket(self._session, self._served.url, "TESTED")
            before = self.client.position if self.client else None
            self.client = Client(self._session, self._served.url, "TESTED", "audience", self._token, self._news)
            self.client.position = before
            await self.client.connect()
        return self.client

    def _news(self, name: str, body: Any) -> None:
        if name == "view:reset":
            self.seen = []
        if name in ("view:reset", "view:changed"):
            self.seen += [fragment["text"] for fragment in body["entries"] if fragment["k"] == "message"]

    async def close(self) -> None:
        if self.client is not None:
            await self.client.close()
