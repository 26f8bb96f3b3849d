"""Looks at the machine: what settings cannot know."""

import asyncio
import contextlib
import os
import resource
import shutil
import socket
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from server.http.pages import folder
from server.settings import Settings
from server.store.client import StoreRefused, StoreUnavailable, connect, guarded
from server.store.embedded import DataFolderBusy, EmbeddedValkey, ValkeyFailed, binary

FSYNC_MS = 20.0
FILES = 16_384
DISK_PERCENT = 80
BUILT = 1_790_000_000
"""This program did not exist before: a clock that shows less is wrong."""


@dataclass(frozen=True, slots=True)
class Finding:
    """`key` of section `cli`; `KEY_no` says what to do."""

    key: str
    well: bool
    params: dict[str, object] = field(default_factory=dict)


async def examine(settings: Settings) -> list[Finding]:
    """Everything, in the order in which it would go wrong."""
    data = Path(settings.data_dir)
    while not data.exists():
        data = data.parent
    usage = shutil.disk_usage(data)
    percent = round(100 * usage.used / usage.total)
    fsync = await asyncio.to_thread(_fsync_ms, data)
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    pages = folder()
    return [
        *_platform(settings),
        Finding("doctor_port", _free(settings), {"port": settings.port}),
        *await _store(settings),
        Finding("doctor_fsync", fsync < FSYNC_MS, {"detail": round(fsync, 2)}),
        Finding("doctor_files", files == resource.RLIM_INFINITY or files >= FILES, {"detail": files}),
        Finding("doctor_clock", time.time() > BUILT, {"detail": time.strftime("%Y-%m-%d %H:%M:%S %Z")}),
        Finding("doctor_disk", percent < DISK_PERCENT, {"detail": percent}),
        Finding("doctor_pages", pages is not None, {"detail": "-" if pages is None else "server/_pages"}),
    ]


def _platform(settings: Settings) -> list[Finding]:
    if settings.redis_url:
        return []
    try:
        return [Finding("doctor_platform", True, {"detail": binary().parent.name})]
    except ValkeyFailed:
        return [Finding("doctor_platform", False, {"detail": "-"})]


def _free(settings: Settings) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError:
            return False
    return True


async def _store(settings: Settings) -> list[Finding]:
    """Your own Redis; or the embedded one of a running server, or one started for the moment."""
    async with contextlib.AsyncExitStack() as stack:
        url = settings.redis_url
        try:
            if not url:
                valkey = EmbeddedValkey(Path(settings.data_dir), fsync=settings.fsync)
                try:
                    await valkey.start()
                    stack.push_async_callback(valkey.stop)
                except DataFolderBusy:
                    await valkey.attach()
                url = valkey.url
            store = await connect(url)
        except (StoreUnavailable, StoreRefused, ValkeyFailed, ValueError) as error:
            return [Finding("doctor_store", False, {"detail": str(error)})]
        stack.push_async_callback(store.close)
        with guarded(write=False):
            persistence = await store.redis.info("persistence")
        kept = bool(persistence.get("aof_enabled"))
        detail = "on" if kept else "off"
        new_enough = int(store.version.split(".")[0]) >= 7
        return [
            Finding("doctor_store", new_enough, {"detail": store.version}),
            Finding("doctor_persistence", kept, {"detail": detail}),
        ]


def _fsync_ms(folder: Path) -> float:
    """Median of eleven small writes."""
    times = []
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        for _ in range(11):
            began = time.perf_counter()
            file.write(b"x" * 512)
            file.flush()
            os.fsync(file.fileno())
            times.append((time.perf_counter() - began) * 1000)
    return sorted(times)[5]
