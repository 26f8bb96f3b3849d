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
from server.app import Node
from server.demo.setup import CODE, setup
from server.gateway.staff import everybody, hand_out
from server.halls.directory import CODE_LENGTH, CODE_LETTERS
from server.halls.runtime import Runtime
from server.http.organiser import known

CROWD_ENDS_S = 3.0
"""How long the simulated employees may take to leave."""


@contextlib.asynccontextmanager
async def demo(node: Node, issuer: str, same: Sequence[str], *, crowd: bool) -> AsyncIterator[Runtime]:
    """The demo town hall, found again after a restart. If it was closed meanwhile, a new one under another code.

    `issuer`: address of the issuer's page, "" where there is none; `same`: arguments that make a command use its settings.
    """
    runtime = await _hall(node, same if issuer else None)
    if issuer:
        print(f"issuer: {issuer}")
    await _print(node, runtime)
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


async def _hall(node: Node, same: Sequence[str] | None) -> Runtime:
    directory = node.gateway.directory
    found = await directory.get(CODE)
    if found is not None and found.hall.phase == "closed":
        found = None
        code = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
    else:
        code = CODE
    actor = Actor("organiser")
    if found is None:
        admission = None if same is None else await _admission(node, code, same)
        made = await directory.create(code, setup(), actor, known(node.settings), admission)
        assert isinstance(made, Runtime), made
        found = made
    if found.hall.phase == "draft":
        command = OpenHall(client_id=f"demo-{int(time.time())}")
        done = await node.executor.execute(found, actor, None, command)
        assert not isinstance(done, Refusal), done
    return found


async def _admission(node: Node, code: str, same: Sequence[str]) -> Admission:
    """The issuer's card, carried by a command as an organiser would: no call runs between the two servers.

    A demo hides nobody: one participant is enough to begin, and nobody waits for others. Its join page says so.
    """
    arguments = (*same, "--title", setup().title, "--chat", node.links.public_url, "--json")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server", "issuance", code, *arguments), stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    issuer = msgspec.json.decode(said, type=Issuer)
    return Admission(issuer=issuer, minimum_participants=1, round_s=0, round_people=1)


async def _print(node: Node, runtime: Runtime) -> None:
    """One line for each page, and one for each director: links of this start, good for a day."""
    hall, told = runtime.hall, set[str]()
    made = await hand_out(node.executor, node.links, runtime, everybody(hall, hall.setup.language), days=1)
    assert not isinstance(made, Refusal), made
    print(f"audience: {node.links.audience_url(hall.code)}")
    for link in made:
        if link.role == "director":
            director = hall.director(link.id)
            found = hall.department(director.department) if director else None
            print(f"director: {link.url}  ({link.name}, {found.name_ko if found else '-'})")
        elif link.role not in told:
            told.add(link.role)
            print(f"{link.role}: {link.url}")
    print(f"organiser: {node.organiser_url}", flush=True)
