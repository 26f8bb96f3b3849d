"""Opens the demo town hall, prints its addresses, and lets a few simulated employees chat."""

import asyncio
import contextlib
import secrets
import sys
import time
from collections.abc import AsyncIterator, Sequence
from importlib.util import find_spec

import msgspec

from moderation.context import Actor
from protocol.commands import OpenHall
from protocol.refusals import Refusal
from protocol.setup import Admission, Issuer
from server.admission.links import Links
from server.demo.setup import CODE, setup
from server.gateway.staff import everybody, hand_out
from server.halls.directory import CODE_LENGTH, CODE_LETTERS, Directory
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


async def demo_hall(
    directory: Directory, executor: Executor, links: Links, settings: Settings, same: Sequence[str] | None
) -> Runtime:
    """The demo town hall, found again after a restart. If it was closed meanwhile, a new one under another code.

    `same`: arguments that make a command use these settings; None: there is no issuer.
    """
    found = await directory.get(CODE)
    if found is not None and found.hall.phase == "closed":
        found = None
        code = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
    else:
        code = CODE
    actor = Actor("organiser")
    if found is None:
        admission = None if same is None else await _admission(links, code, same)
        made = await directory.create(code, setup(), actor, known(settings), admission)
        assert isinstance(made, Runtime), made
        found = made
    if found.hall.phase == "draft":
        command = OpenHall(client_id=f"demo-{int(time.time())}")
        done = await executor.execute(found, actor, None, command)
        assert not isinstance(done, Refusal), done
    return found


async def _admission(links: Links, code: str, same: Sequence[str]) -> Admission:
    """The issuer's card, carried by a command as an organiser would: no call runs between the two servers.

    A demo hides nobody: one participant is enough to begin, and nobody waits for others. Its join page says so.
    """
    arguments = (*same, "--title", setup().title, "--who", "open", "--chat", links.public_url, "--json")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server", "issuance", code, *arguments), stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    issuer = msgspec.json.decode(said, type=Issuer)
    return Admission(issuer=issuer, minimum_participants=1, round_s=0, round_people=1)


async def print_links(executor: Executor, links: Links, runtime: Runtime) -> None:
    """One line for each page, and one for each director: links of this start, good for a day."""
    hall, told = runtime.hall, set[str]()
    made = await hand_out(executor, links, runtime, everybody(hall, hall.setup.language), days=1)
    assert not isinstance(made, Refusal), made
    print(f"audience: {links.audience_url(hall.code)}")
    for link in made:
        if link.role == "director":
            director = hall.director(link.id)
            found = hall.department(director.department) if director else None
            print(f"director: {link.url}  ({link.name}, {found.name_ko if found else '-'})")
        elif link.role not in told:
            told.add(link.role)
            print(f"{link.role}: {link.url}")
    print(f"organiser: {links.organiser_url()}", flush=True)
