"""Structured logs: an allow-list of fields, so that no text, ticket, tag, address or user agent can slip in."""

import logging
import sys
from collections.abc import Mapping, MutableMapping
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
        "signal",
        "status",
        "why",
        "seq",
        "port",
        "connections",
        "path",
    }
)
"""Fields that may be logged; others are dropped, and named in `dropped`."""


def allow_listed(_: Any, __: str, fields: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Keep what is allowed."""
    dropped = sorted(name for name in fields if name not in ALLOWED)
    kept = {name: value for name, value in fields.items() if name in ALLOWED}
    return {**kept, "dropped": dropped} if dropped else kept


def set_up(*, json: bool | None = None) -> None:
    """Log to stderr: JSON lines, or for people where that is a terminal. Access logs and library chatter stay off."""
    as_json = not sys.stderr.isatty() if json is None else json
    renderer: Any = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            allow_listed,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    for name in ("aiohttp", "asyncio", "engineio", "socketio"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
