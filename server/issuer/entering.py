"""Signings at one time share one write: each waits until the file with all of them is on disk."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor

from server.issuer.issued import Asked, Entered, IssuedFiles


class Entering:
    """`executor`: one thread, on which the files are written. Who waits is bounded by its owner (limits.signing_queue)."""

    def __init__(self, files: IssuedFiles, executor: Executor) -> None:
        self._files = files
        self._executor = executor
        self._waiting: list[tuple[Asked, asyncio.Future[Entered]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def enter(self, code: str, people: Sequence[bytes], blinded: bytes) -> Entered:
        """As IssuedFiles.enter, of one. Raises OSError where the disk does not take it: then nothing was entered."""
        done: asyncio.Future[Entered] = asyncio.get_running_loop().create_future()
        self._waiting.append((Asked(code, tuple(people), blinded), done))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write(), name="entering")
        return await done

    async def stop(self) -> None:
        """Returns when all that wait have an answer."""
        if self._writer is not None:
            await self._writer

    async def _write(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                asked = [one for one, _ in batch]
                try:
                    found = await asyncio.get_running_loop().run_in_executor(self._executor, self._files.enter, asked)
                except Exception as error:
                    for _, done in batch:
                        if not done.done():
                            done.set_exception(error)
                else:
                    for (_, done), entered in zip(batch, found, strict=True):
                        if not done.done():  # whoever asked may have gone
                            done.set_result(entered)
        finally:
            self._writer = None
