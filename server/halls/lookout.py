"""What a town hall does by itself: every node looks each second, and the guard of the log lets one of them act."""

import asyncio
from abc import ABC, abstractmethod

import structlog

from server.halls.directory import Directory
from server.halls.runtime import Runtime
from server.store.appender import Busy
from server.store.client import StoreRefused, StoreUnavailable
from server.tasks import end

log = structlog.get_logger()

LOOK_S = 1.0


class Lookout(ABC):
    """Looks at all town halls of `directory`. What the store does not take now is looked at again."""

    def __init__(self, directory: Directory, name: str) -> None:
        self._directory = directory
        self._name = name
        self._task: asyncio.Task[None] | None = None

    @abstractmethod
    async def look(self, runtime: Runtime) -> None:
        """Do what is due in one town hall. Raises StoreUnavailable, StoreRefused, Busy."""

    async def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._run(), name=self._name)

    async def stop(self) -> None:
        """Stop."""
        if self._task is not None:
            await end([self._task])

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            for runtime in self._directory.loaded():
                try:
                    await self.look(runtime)
                except (StoreUnavailable, StoreRefused, Busy):
                    continue
                except Exception:
                    log.exception("look_after_failed")
