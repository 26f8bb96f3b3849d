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

CROWD_ENDS_S = 3.0
"""How long the simulated employees may take to leave."""


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
            try:
                await asyncio.wait_for(process.wait(), CROWD_ENDS_S)
            except TimeoutError:
                process.kill()
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
    """One line for each page, and one for each director; a town hall's other hosts stand on the organiser's page."""
    hall, told = runtime.hall, set[str]()
    for link in node.links.all(hall):
        if link.role == "director":
            director = hall.director(link.id)
            found = hall.department(director.department) if director else None
            print(f"director: {link.url}  ({link.name}, {found.name_ko if found else '-'})")
        elif link.role not in told:
            told.add(link.role)
            print(f"{link.role}: {link.url}")
    print(f"organiser: {node.organiser_url}", flush=True)
