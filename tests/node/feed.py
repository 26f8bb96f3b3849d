"""A reader of the Server-Sent Events feed, as `curl -N` or a browser's EventSource would be (WHATWG HTML, 9.2)."""

import asyncio
import contextlib
from typing import Any
from uuid import uuid4

import aiohttp
import orjson


class Feed:
    """`news`: (name, body) in order. `last_id`: of the last item that had one; sent as Last-Event-ID when opened again."""

    def __init__(self, session: aiohttp.ClientSession, url: str, code: str, role: str, token: str) -> None:
        self._session = session
        self._base = f"{url}/api/v1/halls/{code}/{role}"
        self._headers = {"Authorization": f"Bearer {token}"}
        self._reader: asyncio.Task[None] | None = None
        self.news: list[tuple[str, Any]] = []
        self.last_id = ""
        self.status = 0
        self.kind = ""

    async def open(self) -> None:
        """Begin to read; from `last_id` if there is one. Raises aiohttp.ClientError."""
        headers = {**self._headers, **({"Last-Event-ID": self.last_id} if self.last_id else {})}
        response = await self._session.get(f"{self._base}/stream", headers=headers)
        self.status, self.kind = response.status, response.headers["Content-Type"]
        self._reader = asyncio.create_task(self._read(response))

    async def post(self, command: str, **payload: Any) -> Any:
        """The acknowledgement of a command with a fresh client id."""
        body = {"command": command, "payload": {"client_id": uuid4().hex, **payload}}
        async with self._session.post(f"{self._base}/commands", headers=self._headers, data=orjson.dumps(body)) as response:
            return await response.json()

    @property
    def open_now(self) -> bool:
        """Whether the feed has not ended."""
        return self._reader is not None and not self._reader.done()

    def bodies(self, name: str) -> list[Any]:
        """What came under a name."""
        return [body for told, body in self.news if told == name]

    def texts(self) -> list[str]:
        """Of all messages, in order."""
        return [f["text"] for _, body in self.news for f in body.get("entries", ()) if f["k"] == "message"]

    async def close(self) -> None:
        """Go away."""
        if self._reader is not None:
            self._reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reader

    async def _read(self, response: aiohttp.ClientResponse) -> None:
        with contextlib.suppress(aiohttp.ClientError, ConnectionError):
            async with response:
                fields: dict[str, str] = {}
                while line := await response.content.readline():
                    name, _, value = line.decode().rstrip("\n").partition(": ")
                    if name:
                        fields[name] = value
                    elif fields:
                        self.last_id = fields.get("id", self.last_id)
                        if "data" in fields:
                            self.news.append((fields.get("event", "message"), orjson.loads(fields["data"])))
                        fields = {}
