"""Structured logs: an allow-list of fields, so that no text, ticket, tag, address or user agent can slip in.

An exception is logged by its type and where it was raised, never by its words: those may quote what somebody wrote.
"""

import asyncio
import contextlib
import logging
import sys
import time
import traceback
from collections.abc import Callable, Mapping, MutableMapping
from pathlib import Path
from typing import Any

import structlog

ALLOWED = frozenset(
    {
        "event",
        "level",
        "timestamp",
        "exception",
        "hall",
        "code",
        "command",
        "number",
        "reason",
        "restarts",
        "route",
        "signal",
        "source",
        "status",
        "times",
        "why",
        "seq",
        "port",
        "connections",
    }
)
"""Fields that may be logged; others are dropped, and named in `dropped`."""
LIBRARY_S = 60.0
"""A complaint of a library is logged at most once in this time for each logger and kind, with how often it came."""
LIBRARY_KINDS_MAX = 200
FRAMES = 12
"""Innermost frames of a traceback that are kept."""


def allow_listed(_: Any, __: str, fields: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Keep what is allowed."""
    dropped = sorted(name for name in fields if name not in ALLOWED)
    kept = {name: value for name, value in fields.items() if name in ALLOWED}
    return {**kept, "dropped": dropped} if dropped else kept


def where(error: BaseException) -> str:
    """`KeyError at server/http/join.py:31 in card < …`: type and places, innermost first, and those of its causes."""
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    places = " < ".join(f"{_short(frame.filename)}:{frame.lineno} in {frame.name}" for frame in reversed(frames))
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return f"{type(error).__name__} at {places or '?'}" + (f" | from {where(cause)}" if cause is not None else "")


def _short(filename: str) -> str:
    return "/".join(Path(filename).parts[-3:])


def _exception(_: Any, __: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    found = fields.pop("exc_info", None)
    error = found if isinstance(found, BaseException) else sys.exc_info()[1] if found else None
    if error is not None:
        fields["exception"] = where(error)
    return fields


class _Lines:
    """Writes to stderr as it is now. Nobody may be refused anything because a log cannot be written."""

    def msg(self, line: str) -> None:
        """Write one line."""
        with contextlib.suppress(OSError, ValueError):
            print(line, file=sys.stderr, flush=True)

    log = debug = info = warning = error = critical = msg


class _Libraries(logging.Handler):
    """What libraries log through the standard library: that it happened and where, without their words."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._told: dict[tuple[str, str], tuple[float, int]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Log one line, or count it."""
        error = record.exc_info[1] if record.exc_info else None
        kind = (record.name, type(error).__name__)
        at, times = self._told.get(kind, (-LIBRARY_S, 0))
        now = time.monotonic()
        if now - at < LIBRARY_S or (kind not in self._told and len(self._told) >= LIBRARY_KINDS_MAX):
            if kind in self._told:
                self._told[kind] = (at, times + 1)
            return
        self._told[kind] = (now, 0)
        more = {"exc_info": error} if error is not None else {}
        structlog.get_logger().warning("library", source=record.name, times=times + 1, **more)


def set_up(*, json: bool | None = None) -> None:
    """Log to stderr: JSON lines, or for people where that is a terminal. There is no access log."""
    as_json = not sys.stderr.isatty() if json is None else json
    renderer: Any = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _exception,
            allow_listed,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_: _Lines(),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers = [handler for handler in root.handlers if not isinstance(handler, _Libraries)] + [_Libraries()]


LAG_LOOK_S = 0.1


async def measure_lag(observe: Callable[[float], None]) -> None:
    """Tell `observe` again and again by how many seconds the event loop was late. Until it is cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + LAG_LOOK_S
        await asyncio.sleep(LAG_LOOK_S)
        observe(max(0.0, loop.time() - due))


def hear(loop: asyncio.AbstractEventLoop) -> None:
    """Log what nobody awaited, in the same way."""

    def handle(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        more = {"exc_info": error} if isinstance(error, BaseException) else {}
        structlog.get_logger().error("unawaited", **more)

    loop.set_exception_handler(handle)
