"""The issuer's own composition root: builds and wires it, and lets it serve."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from protocol.refusals import Refusal
from server.http import built, well_known
from server.http import run as http_run
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
from server.issuer.routes import Desk, b64, routes
from server.issuer.staff import StaffGrants
from server.private_files import write_private
from server.secret import Secret, load
from server.settings import Settings

ADDRESS = "address"
"""File in the issuer's folder with the address of the issuer that ran on it last."""


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


def staff_grants(settings: Settings) -> StaffGrants:
    """Of the issuer on this folder. Without single sign-on it gives no roles."""
    return StaffGrants(load(folder(settings) / "secret"), settings.oidc_staff if settings.oidc_issuer else ())


def ways(
    settings: Settings, issuances: Issuances, secret: Secret, public_url: Callable[[], str], staff: StaffGrants
) -> Sequence[Eligibility]:
    """Every way of being eligible that is set up here."""

    async def chat_url(code: str) -> str | None:
        found = await issuances.get(code)
        return None if found is None else found.chat_url

    people, granting = People(secret), staff if staff.public else None
    invitations = Invitations(issuances, people)
    if not settings.oidc_issuer:
        return (OpenCode(), invitations)
    key = secret.key("oidc-login")
    return (OpenCode(), invitations, Oidc(settings, people, public_url, staff=granting, chat_url=chat_url, key=key))


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
        pages = built.folder()
        staff = staff_grants(settings)
        mailer = Mailer(settings)
        stack.push_async_callback(mailer.stop)
        desk = Desk(
            issuances,
            {way.kind: way for way in ways(settings, issuances, secret, lambda: desk.public_url, staff)},
            Addresses(settings.trusted_proxies),
            built.read(pages) if pages is not None else {},
            organiser_key,
            settings.issuer_public_url.rstrip("/"),
            settings.public_url or (f"http://{settings.host}:{settings.port}" if settings.port else ""),
            mailer.set_up,
            b64(staff.public),
        )
        further = invitation_routes.routes(desk, Invitations(issuances, People(secret)), mailer)
        runner = await http_run.set_up(application(desk, further))
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, settings.issuer_host, port(settings)).start()
        bound = int(runner.addresses[0][1])
        desk.public_url = desk.public_url or f"http://{settings.issuer_host}:{bound}"
        write_private(home / ADDRESS, f"{desk.public_url}\n".encode("ascii"))
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


async def parent_gone() -> None:
    """Returns once the other end of standard input is closed."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    def readable() -> None:
        if not os.read(0, 1):
            loop.remove_reader(0)
            ended.set()

    loop.add_reader(0, readable)
    await ended.wait()
