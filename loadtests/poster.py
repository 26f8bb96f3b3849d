"""One simulated employee who writes: a lean connection that reads nothing but the answers to its own messages."""

import asyncio
import itertools
from typing import Any

import orjson

from loadtests.lean import PATH, UPGRADE, LeanSocket

NAMESPACE = b"/audience"


class Poster(LeanSocket):
    """`host`: the Host header. `joined` is done once it is in, or has the refusal as its exception."""

    def __init__(self, host: str, code: str, token: str) -> None:
        super().__init__()
        self._host = host
        self._auth = orjson.dumps({"code": code, "token": token})
        self._numbers = itertools.count()
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self.joined: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def there(self) -> bool:
        """Whether it is connected and in."""
        return self.transport is not None and self.joined.done() and self.joined.exception() is None

    def request(self) -> bytes:
        return UPGRADE.format(path=PATH, host=self._host, more="").encode()

    def text(self, payload: bytes) -> None:
        kind = payload[:2]
        if kind == b"43":
            number, _, rest = payload.partition(b",")[2].partition(b"[")
            waiting = self._answers.get(int(number))
            if waiting is not None and not waiting.done():
                waiting.set_result(orjson.loads(b"[" + rest)[0])
        elif payload.startswith(b"0{"):
            self.send(b"40" + NAMESPACE + b"," + self._auth)
        elif kind == b"40" and not self.joined.done():
            self.joined.set_result(None)
        elif kind == b"44":
            self._lost(ConnectionRefusedError(payload.partition(b",")[2].decode()))

    def ended(self, status: int) -> None:
        self._lost(ConnectionError(f"HTTP {status}" if status else "the connection was lost"))

    def _lost(self, error: Exception) -> None:
        for waiting in (self.joined, *self._answers.values()):
            if not waiting.done():
                waiting.set_exception(error)
                waiting.exception()

    async def post(self, client_id: str, text: str, wait_s: float) -> Any:
        """The acknowledgement. Raises TimeoutError, ConnectionError."""
        if self.transport is None:
            raise ConnectionError("not connected")
        number = next(self._numbers)
        waiting = self._answers[number] = asyncio.get_running_loop().create_future()
        try:
            body = orjson.dumps(["message:post", {"client_id": client_id, "text": text}])
            self.send(b"42" + NAMESPACE + b",%d" % number + body)
            async with asyncio.timeout(wait_s):
                return await waiting
        finally:
            self._answers.pop(number, None)

    def close(self) -> None:
        """End the connection."""
        if self.transport is not None:
            self.transport.close()
