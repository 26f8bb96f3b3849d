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
from server.admission.links import Links
from server.demo.setup import CODE, setup
from server.halls.directory import Directory
from server.halls.execute import Executor
from server.halls.runtime import Runtime
from server.http.organiser import known
from server.settings import Settings

CROWD_ENDS_S = 3.0
"""How long the simulated employees may take to leave."""


@contextlib.asynccontextmanager
async def crowd(url: str, code: str) -> AsyncIterator[None]:
    """A few simulated employees who chat in the town hall `code` of the server at `url`."""
    process = None
    if find_spec("loadtests.demo_crowd") is not None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "loadtests.demo_crowd", url, code, start_new_session=True
        )
    try:
        yield
    finally:
        if process is not None and process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), CROWD_ENDS_S)
            except TimeoutError:
                process.kill()
                await process.wait()


async def demo_hall(directory: Directory, executor: Executor, settings: Settings) -> Runtime:
    """The demo town hall, found again after a restart. If it was closed meanwhile, a new one under another code."""
    found = await directory.get(CODE)
    if found is not None and found.hall.phase == "closed":
        found = None
        code = None
    else:
        code = CODE
    actor = Actor("organiser")
    if found is None:
        made = await directory.create(code, setup(), actor, known(settings))
        assert isinstance(made, Runtime), made
        found = made
    if found.hall.phase == "draft":
        command = OpenHall(client_id=f"demo-{int(time.time())}")
        done = await executor.execute(found, actor, None, command)
        assert not isinstance(done, Refusal), done
    return found


def print_links(links: Links, runtime: Runtime) -> None:
    """One line for each page, and one for each director; a town hall's other hosts stand on the organiser's page."""
    hall, told = runtime.hall, set[str]()
    for link in links.all(hall):
        if link.role == "director":
            director = hall.director(link.id)
            found = hall.department(director.department) if director else None
            print(f"director: {link.url}  ({link.name}, {found.name_ko if found else '-'})")
        elif link.role not in told:
            told.add(link.role)
            print(f"{link.role}: {link.url}")
    print(f"organiser: {links.organiser_url()}", flush=True)
