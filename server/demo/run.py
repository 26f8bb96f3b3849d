"""Opens the demo town hall, prints its addresses, and lets a few simulated employees chat."""

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator
from importlib.util import find_spec

from moderation.context import Actor
from protocol.commands import OpenHall
from protocol.refusals import Refusal
from server.app import Node
from server.demo.setup import CODE, setup
from server.halls.runtime import Runtime
from server.http.organiser import known


@contextlib.asynccontextmanager
async def demo(node: Node, *, crowd: bool) -> AsyncIterator[Runtime]:
    """The demo town hall, found again after a restart. If it was closed meanwhile, a new one under another code."""
    runtime = await _hall(node)
    _print(node, runtime)
    process = None
    if crowd and find_spec("loadtests.demo_crowd") is not None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "loadtests.demo_crowd", node.url, runtime.code, start_new_session=True
        )
    try:
        yield runtime
    finally:
        if process is not None and process.returncode is None:
            process.terminate()
            await process.wait()


async def _hall(node: Node) -> Runtime:
    directory = node.gateway.directory
    found = await directory.get(CODE)
    if found is not None and found.hall.phase == "closed":
        found = None
        code = None
    else:
        code = CODE
    actor = Actor("organiser")
    if found is None:
        made = await directory.create(code, setup(), actor, known(node.settings))
        assert isinstance(made, Runtime), made
        found = made
    if found.hall.phase == "draft":
        command = OpenHall(client_id=f"demo-{int(time.time())}")
        done = await node.executor.execute(found, actor, None, command)
        assert not isinstance(done, Refusal), done
    return found


def _print(node: Node, runtime: Runtime) -> None:
    for link in node.links.all(runtime.hall):
        department = ""
        if link.role == "director":
            director = runtime.hall.director(link.id)
            found = runtime.hall.department(director.department) if director else None
            department = f"{found.name_ko}, " if found else ""
        print(f"{link.role}: {link.url}" + (f"  ({department}{link.name})" if link.name else ""))
    print(f"organiser: {node.organiser_url}", flush=True)
