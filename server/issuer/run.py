"""The issuer's own composition root: builds and wires it, and lets it serve."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from protocol.refusals import Refusal
from server.http import built, well_known
from server.http.address import Addresses, same_origin
from server.http.errors import answer_everything
from server.http.replies import no
from server.issuer import invitation_routes
from server.issuer.eligibility import Eligibility
from server.issuer.invitations import Invitations
from server.issuer.issuances import Issuances
from server.issuer.mail import Mailer
from server.issuer.oidc import Oidc
from server.issuer.open_code import OpenCode
from server.issuer.people import People
from server.issuer.routes import Desk, routes
from server.secret import load
from server.settings import Settings

HEADERS_S = 15.0
ADDRESS = "address"
"""File in the issuer's folder with the address of the issuer that ran on it last."""
STARTS_S = 20.0
"""How long the issuer beside the chat may take to listen."""
ENDS_S = 5.0


@dataclass(frozen=True, slots=True)
class RunningIssuer:
    """`url`: where people reach it. `organiser_key`: of the issuer, not of the chat."""

    url: str
    port: int
    organiser_key: str
    issuances: Issuances

    @property
    def organiser_url(self) -> str:
        """Address of the issuer's page for the organiser, with the key in its fragment."""
        return f"{self.url}/organiser#{self.organiser_key}"


def folder(settings: Settings) -> Path:
    """Of the issuer alone."""
    return Path(settings.issuer_dir) if settings.issuer_dir else Path(settings.data_dir) / "issuer"


def port(settings: Settings) -> int:
    """The one after the chat's, unless it is set; a free one (0) where the chat's is free too."""
    return settings.issuer_port or (settings.port + 1 if settings.port else 0)


def ways(settings: Settings, issuances: Issuances, people: People, public_url: Callable[[], str]) -> Sequence[Eligibility]:
    """Every way of being eligible that is set up here."""
    single_sign_on = (Oidc(settings, people, public_url),) if settings.oidc_issuer else ()
    return (OpenCode(), Invitations(issuances, people), *single_sign_on)


@contextlib.asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[RunningIssuer]:
    """An issuer that serves until the context ends. Raises OSError, BadSecret."""
    home = folder(settings)
    async with contextlib.AsyncExitStack() as stack:
        issuances = Issuances(home)
        await issuances.start()
        stack.push_async_callback(issuances.stop)
        secret = load(home / "secret")
        organiser_key = secret.key("issuer-organiser").hex()
        people = People(secret)
        pages = built.folder()
        mailer = Mailer(settings)
        stack.push_async_callback(mailer.stop)
        desk = Desk(
            issuances,
            {way.kind: way for way in ways(settings, issuances, people, lambda: desk.public_url)},
            Addresses(settings.trusted_proxies),
            built.read(pages) if pages is not None else {},
            organiser_key,
            settings.issuer_public_url.rstrip("/"),
            settings.public_url or (f"http://{settings.host}:{settings.port}" if settings.port else ""),
            mailer.set_up,
        )
        runner = web.AppRunner(
            application(desk, invitation_routes.routes(desk, Invitations(issuances, people), mailer)),
            access_log=None,
            keepalive_timeout=HEADERS_S,
            auto_decompress=False,
            handle_signals=False,
            shutdown_timeout=2.0,
        )
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, settings.issuer_host, port(settings)).start()
        bound = int(runner.addresses[0][1])
        desk.public_url = desk.public_url or f"http://{settings.issuer_host}:{bound}"
        (home / ADDRESS).write_text(desk.public_url + "\n", "ascii")
        yield RunningIssuer(desk.public_url, bound, organiser_key, issuances)


def _ours(request: web.Request, public_url: str) -> bool:
    return same_origin(request.headers.get("Origin"), request.host, (), public_url)


def application(desk: Desk, further: Sequence[web.RouteDef] = ()) -> web.Application:
    """All routes, `further` ones too, behind one door: no page of another origin may make it do anything."""

    @web.middleware
    async def door(request: web.Request, handler: built.Handler) -> web.StreamResponse:
        if request.method not in ("GET", "HEAD") and not _ours(request, desk.public_url):
            return no(Refusal("not_allowed"), request)
        return await handler(request)

    app = web.Application(client_max_size=1, middlewares=[answer_everything, door])
    app.add_routes([*routes(desk), *well_known.routes(desk.built, "issuer"), *further])
    return app


@contextlib.asynccontextmanager
async def beside(arguments: Sequence[str]) -> AsyncIterator[str]:
    """The issuer as a process of its own, with the settings of this one; its organiser's address comes back.

    It ends with this process, however that ends: its standard input is a pipe into which nothing is ever written, and
    whose other end closes with us. Nothing else runs between the two.
    """
    ours, theirs = os.pipe()[::-1]
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "server", "issuer", "--with-parent", *arguments),
            stdin=theirs,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    finally:
        os.close(theirs)
    try:
        yield await _said(process)
    finally:
        os.close(ours)
        try:
            async with asyncio.timeout(ENDS_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def _said(process: asyncio.subprocess.Process) -> str:
    """The address it prints once it listens. Raises OSError if it ends before."""
    assert process.stdout is not None
    async with asyncio.timeout(STARTS_S):
        while line := (await process.stdout.readline()).decode():
            if line.startswith("issuer: "):
                return line.removeprefix("issuer: ").strip()
    raise ChildProcessError("the issuer ended before it listened")


async def parent_gone() -> None:
    """Returns once the other end of standard input is closed."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    def readable() -> None:
        if not os.read(0, 1):
            loop.remove_reader(0)
            ended.set()

    loop.add_reader(0, readable)
    await ended.wait()
