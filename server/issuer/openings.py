"""Opening addresses of the issuer's page, in a file of the issuer alone: it has no store."""

import contextlib
import fcntl
import json
import os
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from protocol.limits import limit
from server.openings import NotKept, Opening

SPENT_MAX: Final = 10_000
"""Nonces of good proofs that are remembered: as many as all organisers' browsers spend in a day."""


class FiledOpenings:
    """`path`: made with mode 0600. Commands beside a running issuer write it too, one at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._spent: OrderedDict[bytes, None] = OrderedDict()

    async def add(self, id: str, until: int, now: int) -> None:
        """As Storage."""
        with self._changing() as known:
            for name in [name for name, one in known.items() if one.until <= now]:
                del known[name]
            first = sorted(known, key=lambda name: known[name].until)
            for name in first[: max(0, len(known) + 1 - limit("openings"))]:
                del known[name]
            known[id] = Opening(until, b"")

    async def find(self, id: str) -> Opening | None:
        """As Storage."""
        return self._read().get(id)

    async def bind(self, id: str, key: bytes, until: int) -> bytes:
        """As Storage."""
        with self._changing() as known:
            found = known.get(id)
            if found is None:
                return b""
            if not found.key:
                known[id] = Opening(until, key)
            return known[id].key

    async def spend(self, nonce: bytes) -> bool:
        """As Storage. In memory: no nonce of before is good after a new start (run.py)."""
        if nonce in self._spent:
            return False
        self._spent[nonce] = None
        if len(self._spent) > SPENT_MAX:
            self._spent.popitem(last=False)
        return True

    async def end(self) -> None:
        """As Storage."""
        with self._changing() as known:
            known.clear()

    def _read(self) -> dict[str, Opening]:
        try:
            told = json.loads(self._path.read_text("ascii"))
            return {name: Opening(int(until), bytes.fromhex(key)) for name, (until, key) in told.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise NotKept(type(error).__name__) from error

    @contextlib.contextmanager
    def _changing(self) -> Iterator[dict[str, Opening]]:
        """What is known, to be changed; written whole or not at all."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with os.fdopen(os.open(self._path.with_suffix(".lock"), os.O_WRONLY | os.O_CREAT, 0o600), "w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                known = self._read()
                yield known
                made = self._path.with_suffix(".new")
                with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                    json.dump({name: [one.until, one.key.hex()] for name, one in known.items()}, file)
                made.replace(self._path)
        except OSError as error:
            raise NotKept(type(error).__name__) from error
