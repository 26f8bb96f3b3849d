"""The composition root: builds and wires everything. The only module that knows every class."""

import asyncio
import contextlib
import secrets as random_secrets
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import structlog
from aiohttp import web, web_response

from protocol.refusals import Refusal
from server.admission.admit import Admission
from server.admission.links import Links
from server.admission.redeem import Redeeming
from server.admission.staff_tickets import StaffTickets
from server.admission.tickets import Tickets
from server.drain import drain
from server.gateway.gateway import Gateway
from server.gateway.redeem import Redeemer
from server.halls.directory import Directory
from server.halls.execute import Executor
from server.halls.rounds import Rounds
from server.http import audit, built, commands, export, health, join, organiser, pages, redeem, staff, stream, well_known
from server.http.address import Addresses, same_origin
from server.http.context import Context
from server.http.replies import no
from server.http.security import SERVER, headers
from server.secret import load
from server.settings import ADDRESS, Settings
from server.sockets import engine
from server.sockets.namespace import Namespace
from server.store.appender import Appender
from server.store.client import Store, connect
from server.store.embedded import EmbeddedValkey
from server.store.erase import Eraser
from server.store.follower import Follower
from server.store.gauges import Presence, SupportGauges
from server.store.tokens import SpentTokens

log = structlog.get_logger()

HEADERS_S = 15.0
"""A connection that has not sent the whole head of a request by then, or idles between two, is closed."""
LINGER_S = 2.0
"""How long the rest of a body that nobody wants is read and dropped before the connection is closed."""
BACKLOG = 4_096
"""Connections that the kernel may hold until they are taken: a whole audience comes back at once."""


@dataclass(slots=True)
class Node:
    """A running server."""

    settings: Settings
    store: Store
    valkey: EmbeddedValkey | None
    follower: Follower
    gateway: Gateway
    executor: Executor
    redeemer: Redeemer
    tokens: SpentTokens
    rounds: Rounds
    links: Links
    url: str
    port: int

    @property
    def organiser_url(self) -> str:
        """Address of the organiser's page, with the key in it."""
        return self.links.organiser_url()

    def problems(self) -> list[str]:
        """Why it should get no traffic, in words; empty: it is ready."""
        found = []
        if not self.follower.healthy:
            found.append("the log is not followed: the store does not answer, or pub/sub is silent")
        if self.valkey is not None and not self.valkey.alive():
            found.append("the embedded Valkey is down")
        if self.valkey is not None and self.valkey.disk_alarm:
            found.append("the disk of the data folder is more than 80 % full")
        if built.folder() is None:
            found.append("the pages are not built")
        if self.gateway.draining:
            found.append("stopping")
        return found

    def warnings(self) -> list[str]:
        """What is wrong, though the node can go on serving everything else."""
        return [f"town hall {runtime.code} has stopped" for runtime in self.gateway.directory.loaded() if runtime.stopped]


@contextlib.asynccontextmanager
async def running(settings: Settings, *, wall: Callable[[], float] = time.time) -> AsyncIterator[Node]:
    """A node that serves until the context ends. `wall`: unix seconds.

    Raises DataFolderBusy, ValkeyFailed, StoreUnavailable, OSError.
    """
    data = Path(settings.data_dir)
    async with contextlib.AsyncExitStack() as stack:
        valkey = None
        url = settings.redis_url
        if not url:
            data.mkdir(parents=True, exist_ok=True)
            valkey = EmbeddedValkey(data, fsync=settings.fsync, maxmemory_bytes=settings.memory_max_mb * 1024**2)
            await valkey.start()
            stack.push_async_callback(valkey.stop)
            url = valkey.url
        store = await connect(url)
        stack.push_async_callback(store.close)
        secret = load(Path(settings.secret_file) if settings.secret_file else data / "secret")

        # The appender tells the store what the follower has seen; the follower asks the appender who the store is.
        followers: list[Follower] = []
        appender = Appender(store, known=lambda code: followers[0].known(code))
        follower = Follower(store, appender)
        followers.append(follower)
        await follower.start()
        stack.push_async_callback(follower.stop)
        stack.push_async_callback(appender.stop)
        eraser = Eraser(store)
        stack.push_async_callback(eraser.stop)
        support = SupportGauges(store)
        name = random_secrets.token_hex(4)
        presence, tokens = Presence(store, name), SpentTokens(store)

        too_old = asyncio.Event()
        directory = Directory(store, appender, follower, eraser, support, presence, tokens, on_too_old=too_old.set, wall=wall)
        await directory.start()
        stack.push_async_callback(directory.stop)
        executor = Executor(appender, follower, support, eraser, zone=settings.time_zone, clock=wall)
        rounds = Rounds(directory, executor, tokens, name, wall)
        await rounds.start()
        stack.push_async_callback(rounds.stop)
        links = Links(secret, settings.public_url.rstrip("/"))
        admission = Admission(Tickets(secret, wall), StaffTickets(secret), links, links.organiser_key, secret.key("dedupe"))
        gateway = Gateway(directory, admission, executor)
        redeemer = Redeemer(admission, Redeeming(secret, wall), tokens, rounds, wall)

        node = Node(settings, store, valkey, follower, gateway, executor, redeemer, tokens, rounds, links, "", 0)
        web_response.SERVER_SOFTWARE = SERVER  # type: ignore[attr-defined]  # in answers to what is not HTTP
        runner = web.AppRunner(
            application(node),
            access_log=None,
            keepalive_timeout=HEADERS_S,
            lingering_time=LINGER_S,
            auto_decompress=False,
            handle_signals=False,
            shutdown_timeout=2.0,
        )
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, settings.host, settings.port, backlog=BACKLOG)
        await site.start()
        node.port = runner.addresses[0][1]
        node.url = f"http://{settings.host}:{node.port}"
        links.public_url = links.public_url or node.url
        if data.exists():
            (data / ADDRESS).write_text(links.public_url + "\n", "ascii")
        watch = asyncio.create_task(_leave_when_too_old(too_old, gateway), name="too-old")
        try:
            yield node
        finally:
            watch.cancel()
            await site.stop()
            await drain(gateway, settings.drain_s)


async def _leave_when_too_old(too_old: asyncio.Event, gateway: Gateway) -> None:
    await too_old.wait()
    log.error("node_too_old", reason="a log holds entries of a newer program")
    gateway.draining = True


def application(node: Node) -> web.Application:
    """All routes."""
    settings = node.settings
    addresses = Addresses(settings.trusted_proxies)
    context = Context(settings, node.gateway, addresses, built.folder(), node.store, node.redeemer)
    app = web.Application(client_max_size=1, middlewares=[_answer_everything])
    sio = engine.make()
    for role in ("audience", "host", "director", "overlay"):
        sio.register_namespace(Namespace(role, node.gateway))
    door = engine.Door(
        sio,
        addresses.key,
        lambda request: same_origin(request, settings.origins, node.links.public_url),
        lambda: node.gateway.draining,
    )
    app.router.add_route("*", engine.PATH, door.handle)
    app.add_routes(
        [
            *health.routes(context, node.problems, node.warnings),
            *organiser.routes(context),
            *join.routes(context),
            *redeem.routes(context),
            *staff.routes(context),
            *commands.routes(context),
            *stream.routes(context),
            *export.routes(context),
            *pages.routes(context),
            *audit.routes(context),
            *well_known.routes(built.read(context.pages) if context.pages is not None else {}, "chat"),
        ]
    )

    async def stop_engine(_: web.Application) -> None:
        await sio.shutdown()

    app.on_shutdown.append(stop_engine)
    return app


@web.middleware
async def _answer_everything(request: web.Request, handler: built.Handler) -> web.StreamResponse:
    """Errors of the router get our headers too; a bug gets a number that is in the log, with neither text nor address."""
    try:
        response = await handler(request)
    except web.HTTPException as error:
        if request.path.startswith("/api/"):
            response = no(Refusal("unknown_command" if error.status in (404, 405) else "bad_request"), request)
            response.set_status(error.status)
        else:
            response = web.Response(status=error.status, text=f"{error.status}: {error.reason}\n")
    except ConnectionError:
        raise
    except Exception:
        number = random_secrets.token_hex(4)
        resource = request.match_info.route.resource
        log.exception("internal", number=number, route=resource.canonical if resource else "-")
        if request.writer.output_size:
            raise ConnectionResetError("failed in the middle of an answer") from None
        response = no(Refusal("internal", {"id": number}), request)
    if not response.prepared:
        for name, value in headers("api").items():
            response.headers.setdefault(name, value)
    return response
