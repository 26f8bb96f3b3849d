"""A worker, started by the parent and by nobody else.

What it shall be comes through the link, not through arguments or the environment, which others on the machine may read.
It leaves when it is told to, when it gets SIGTERM, and when the parent is gone.
"""

import asyncio
import signal
import socket
from typing import Any

import msgspec
import structlog

from server import app, event_loop, private, telemetry
from server.settings import Settings
from server.workers.link import Link, LinkBroken

log = structlog.get_logger()

ANSWER_S = 10.0
"""How long the parent may take to say what the worker shall be."""


async def work(descriptor: int) -> int:
    """Serve until it is time to leave."""
    telemetry.hear(asyncio.get_running_loop())
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    node: app.Node | None = None

    async def answer(what: str) -> Any:
        match what:
            case "stop":
                stopped.set()
            case "ready" if node is not None:
                return {"problems": node.problems(), "warnings": node.warnings()}
            case "closed" if node is not None:
                return await node.closed_halls()
            case "metrics" if node is not None:
                return node.figures()
        return None

    async def asked(what: str, timeout_s: float) -> Any:
        try:
            return await link.ask(what, timeout_s)
        except LinkBroken:
            return None

    link = Link(socket.socket(fileno=descriptor), answer)
    await link.start()
    try:
        told = await link.ask("settings", ANSWER_S)
        settings = msgspec.convert(told["settings"], Settings)
        whole = app.Whole(asked)
        async with app.running(settings, whole=whole) as node:
            event_loop.settle()
            await link.ask("listening", ANSWER_S)
            gone = asyncio.create_task(link.closed.wait(), name="parent-gone")
            told_to = asyncio.create_task(stopped.wait(), name="stopped")
            await asyncio.wait({gone, told_to}, return_when=asyncio.FIRST_COMPLETED)
            gone.cancel()
            told_to.cancel()
    except LinkBroken:
        return 1
    finally:
        await link.close()
    return 0


def main(descriptor: int) -> int:
    """Exit code. `descriptor`: our end of the link."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends us in order
    telemetry.set_up()
    private.begin()
    try:
        return event_loop.run(work(descriptor))
    except Exception:
        log.exception("worker_failed")
        return 1
