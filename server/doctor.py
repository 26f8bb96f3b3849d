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

from server.http.built import folder
from server.private import open_paths
from server.settings import Settings
from server.store.client import StoreRefused, StoreUnavailable, connect, guarded
from server.store.embedded import DataFolderBusy, EmbeddedValkey, ValkeyFailed, binary
from server.store.shard import Shard

FSYNC_MS = 20.0
FILES = 16_384
DISK_PERCENT = 80
DRIFT_S = 5.0
"""A node's clock dates entries, the store's raises epochs: they should agree about this well."""
OLDEST = 7
"""First version of Redis (Valkey began at 7.2) that has what the scripts use."""
BUILT = 1_790_000_000
"""This program did not exist before: a clock that shows less is wrong."""


@dataclass(frozen=True, slots=True)
class Finding:
    """`key` of section `cli`; `KEY_no` says what to do."""

    key: str
    well: bool
    params: dict[str, object] = field(default_factory=dict)


async def examine(settings: Settings) -> list[Finding]:
    """Everything, in the order in which it would go wrong. Leaves nothing behind."""
    data = Path(settings.data_dir)
    secret = Path(settings.secret_file) if settings.secret_file else data / "secret"
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
        *([Finding("doctor_secret", _is_private(secret), {"detail": secret})] if secret.exists() else []),
        *_private(settings),
        Finding("doctor_pages", pages is not None, {"detail": "-" if pages is None else "server/_pages"}),
    ]


def _private(settings: Settings) -> list[Finding]:
    """Whether others on this machine can get at the data folders."""
    if not Path(settings.data_dir).exists():
        return []
    found = open_paths(settings)
    return [Finding("doctor_folder", not found, {"detail": found[0] if found else settings.data_dir})]


def _is_private(path: Path) -> bool:
    return not path.stat().st_mode & 0o077


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
                folder = Path(settings.data_dir)
                if not folder.exists():
                    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
                valkey = EmbeddedValkey(folder, fsync=settings.fsync)
                try:
                    await valkey.start()
                    stack.push_async_callback(valkey.stop)
                except DataFolderBusy:
                    await valkey.attach()
                url = valkey.url
            store = await connect(url)
            stack.push_async_callback(store.close)
            findings = [Finding("doctor_store", int(store.version.split(".")[0]) >= OLDEST, {"detail": store.version})]
            for shard in store.shards():
                findings += await _shard(shard)
            return findings
        except (StoreUnavailable, StoreRefused, ValkeyFailed, ValueError, OSError) as error:
            return [Finding("doctor_store", False, {"detail": str(error)})]


async def _shard(shard: Shard) -> list[Finding]:
    """One server of the store. Raises StoreUnavailable, StoreRefused."""
    with guarded(write=False):
        persistence = await shard.redis.info("persistence")
        memory = await shard.redis.info("memory")
        seconds, _ = await shard.redis.time()
    drift = abs(time.time() - seconds)
    policy = str(memory.get("maxmemory_policy", "-"))
    aof = bool(persistence.get("aof_enabled"))
    return [
        Finding("doctor_persistence", aof, {"detail": "on" if aof else "off"}),
        Finding("doctor_eviction", policy == "noeviction", {"detail": policy}),
        Finding("doctor_drift", drift < DRIFT_S, {"detail": round(drift)}),
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
