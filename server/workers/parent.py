"""The parent of the workers: owns the store and the port, starts workers, starts again those that die, ends all in order."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import structlog

from server import metrics
from server.admission.links import Links
from server.secret import load
from server.settings import ADDRESS, Settings
from server.store.embedded import EmbeddedValkey
from server.workers.link import Link, LinkBroken
from server.workers.port import reserve

log = structlog.get_logger()

CHILD = "import sys; sys.path[:] = {path!r}; from server.workers.child import main; sys.exit(main({descriptor}))"
"""The same modules as ours, whatever lies in the working folder."""
START_S = 30.0
"""How long a worker may take until it listens; then it is taken for stuck and killed."""
ASK_S = 2.0
"""How long a worker may take to answer for itself; one whose loop is stuck longer is not well."""
STOP_S = 10.0
"""Beyond the time to say goodbye; then a worker is killed."""
BACKOFF_S = (0.1, 0.3, 1.0, 3.0, 5.0)
"""Pauses before a worker that died is started again; the last one repeats."""
LIVED_S = 30.0
"""A worker that lived this long before it died starts at the shortest pause again."""


class WorkerFailed(Exception):
    """A worker ended before it listened; why stands in its log."""


@dataclass(slots=True)
class Worker:
    """One process, and what stands for it while it is being started again."""

    number: int
    process: asyncio.subprocess.Process | None = None
    link: Link | None = None
    listening: asyncio.Event = field(default_factory=asyncio.Event)
    restarts: int = 0

    @property
    def pid(self) -> int:
        """0: none at the moment."""
        return self.process.pid if self.process is not None and self.process.returncode is None else 0


class Parent:
    """`settings` are those that every worker gets, port and address already decided."""

    def __init__(self, settings: Settings, links: Links, valkey: EmbeddedValkey | None) -> None:
        self.settings = settings
        self.links = links
        self.valkey = valkey
        self.neighbours: Callable[[], list[str]] = list
        self.workers = [Worker(number) for number in range(1, settings.workers + 1)]
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{self.settings.host}:{self.settings.port}"

    async def start(self) -> None:
        """Until all listen. Raises WorkerFailed."""
        first: list[asyncio.Future[None]] = []
        for worker in self.workers:
            first.append(asyncio.get_running_loop().create_future())
            self._tasks.append(asyncio.create_task(self._keep(worker, first[-1]), name=f"worker-{worker.number}"))
        await asyncio.gather(*first)

    async def stop(self) -> None:
        """All at once: one after another, those who leave the first would be sent away again by the second."""
        self._stopping = True
        await asyncio.gather(*(self._end(worker) for worker in self.workers))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # --- one worker ---
    async def _keep(self, worker: Worker, first: asyncio.Future[None]) -> None:
        failures = 0
        while not self._stopping:
            began = time.monotonic()
            try:
                await self._run(worker, first)
            except OSError as error:
                log.error("worker_not_started", why=str(error))
            if self._stopping:
                return
            if not first.done():
                first.set_exception(WorkerFailed(f"worker {worker.number}"))
                return
            failures = 0 if time.monotonic() - began > LIVED_S else failures + 1
            worker.restarts += 1
            log.error("worker_died", number=worker.number, restarts=worker.restarts)
            await asyncio.sleep(BACKOFF_S[min(failures, len(BACKOFF_S)) - 1 if failures else 0])

    async def _run(self, worker: Worker, first: asyncio.Future[None]) -> None:
        """From its start to its end. `first` is done once it listens for the first time."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = worker.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                "-c",
                CHILD.format(path=sys.path, descriptor=theirs.fileno()),
                pass_fds=(theirs.fileno(),),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                start_new_session=True,
            )
        worker.listening.clear()

        async def answer(what: str) -> Any:
            match what:
                case "settings":
                    return {"settings": msgspec.to_builtins(self.settings)}
                case "listening":
                    worker.listening.set()
                    if not first.done():
                        first.set_result(None)
                case "ready":
                    return await self.ready()
                case "metrics":
                    return await self.figures()
            return None

        worker.link = Link(ours, answer)
        await worker.link.start()
        try:
            async with asyncio.timeout(START_S) as patience:
                listening = asyncio.create_task(worker.listening.wait())
                ended = asyncio.create_task(process.wait())
                await asyncio.wait({listening, ended}, return_when=asyncio.FIRST_COMPLETED)
                listening.cancel()
                patience.reschedule(None)
                await ended
        except TimeoutError:
            log.error("worker_does_not_listen", number=worker.number)
        finally:
            worker.listening.clear()
            with contextlib.suppress(ProcessLookupError):
                if process.returncode is None:
                    process.kill()
            await process.wait()
            await worker.link.close()
            worker.link = None

    async def _end(self, worker: Worker) -> None:
        process, link = worker.process, worker.link
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(LinkBroken):
            if link is not None:
                await link.ask("stop", ASK_S)
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.settings.drain_s + STOP_S):
                await process.wait()
        if process.returncode is None:
            log.error("worker_killed", number=worker.number)
            process.kill()
            await process.wait()

    # --- for the whole ---
    async def _ask_all(self, what: str) -> list[tuple[Worker, Any]]:
        """Answers; None from who does not."""

        async def asked(worker: Worker) -> Any:
            if worker.link is None or not worker.listening.is_set():
                return None
            try:
                return await worker.link.ask(what, ASK_S)
            except LinkBroken:
                return None

        answers = await asyncio.gather(*(asked(worker) for worker in self.workers))
        return list(zip(self.workers, answers, strict=True))

    async def ready(self) -> dict[str, list[str]]:
        """What all workers suffer from is a problem; what some do, a warning: the others go on serving."""
        problems, warnings = [], self.neighbours()
        if self.valkey is not None and not self.valkey.alive():
            problems.append("the embedded Valkey is down")
        if self.valkey is not None and self.valkey.disk_alarm:
            problems.append("the disk of the data folder is more than 80 % full")
        answers = await self._ask_all("ready")
        well = [(worker, answer) for worker, answer in answers if answer is not None]
        warnings += [f"worker {worker.number} does not answer" for worker, answer in answers if answer is None]
        if not well:
            problems.append("no worker answers")
        for sentence in dict.fromkeys(s for _, answer in well for s in answer["problems"]):
            having = [worker.number for worker, answer in well if sentence in answer["problems"]]
            if len(having) == len(well):
                problems.append(sentence)
            else:
                warnings.append(f"worker {', '.join(map(str, having))}: {sentence}")
        warnings += dict.fromkeys(s for _, answer in well for s in answer["warnings"])
        return {"problems": problems, "warnings": warnings}

    async def closed_halls(self) -> list[tuple[str, str]]:
        """(code, address of its issuer) of closed town halls that some worker has loaded."""
        answers = await self._ask_all("closed")
        return sorted({(str(code), str(url)) for _, answer in answers for code, url in answer or ()})

    async def figures(self) -> metrics.Families:
        """The sums over all workers, and what each process uses."""
        metrics.advance(metrics.RESTARTS, sum(worker.restarts for worker in self.workers))
        metrics.WORKERS.set(sum(worker.listening.is_set() for worker in self.workers))
        metrics.advance(metrics.STORE_RESTARTS, self.valkey.restarts if self.valkey is not None else 0)
        answers = await self._ask_all("metrics")
        several = [metrics.labelled(answer, worker.number) for worker, answer in answers if answer is not None]
        return metrics.merged([metrics.labelled(metrics.parents(), 0), *several])


@contextlib.asynccontextmanager
async def supervising(settings: Settings) -> AsyncIterator[Parent]:
    """Workers that serve until the context ends.

    Raises DataFolderBusy, ValkeyFailed, StoreUnavailable, BadSecret, OSError, WorkerFailed.
    """
    data = Path(settings.data_dir)
    async with contextlib.AsyncExitStack() as stack:
        valkey = None
        if not settings.redis_url:
            data.mkdir(parents=True, exist_ok=True)
            valkey = EmbeddedValkey(data, fsync=settings.fsync, maxmemory_bytes=settings.memory_max_mb * 1024**2)
            await valkey.start()
            stack.push_async_callback(valkey.stop)
        secret = load(Path(settings.secret_file) if settings.secret_file else data / "secret")
        port = await reserve(settings.host, settings.port)
        stack.callback(port.close)
        public_url = settings.public_url.rstrip("/") or f"http://{settings.host}:{port.number}"
        told = msgspec.structs.replace(settings, port=port.number, public_url=public_url)
        if data.exists():
            (data / ADDRESS).write_text(public_url + "\n", "ascii")
        parent = Parent(told, Links(secret, public_url), valkey)
        stack.push_async_callback(parent.stop)
        await parent.start()
        yield parent
