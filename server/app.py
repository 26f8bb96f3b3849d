"""The composition root: builds and wires everything. The only module that knows every class."""

import asyncio
import contextlib
import secrets as random_secrets
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import socketio
import structlog
from aiohttp import web

from protocol.limits import limit
from server import event_loop, measure, metrics, telemetry
from server.admission.admit import Admission
from server.admission.links import Links
from server.admission.redeem import Redeeming
from server.admission.staff_tickets import StaffTickets
from server.admission.tickets import Tickets
from server.drain import drain
from server.fanout.flusher import Flusher
from server.fanout.uring import open_uring
from server.front.asks import Asks
from server.front.door import Door
from server.front.files import Files
from server.front.front import Desk
from server.front.handshake import PATH
from server.gateway.awaiting import Waiters
from server.gateway.gateway import Gateway
from server.gateway.redeem import Redeemer
from server.halls.ballots import Ballots
from server.halls.directory import Directory
from server.halls.execute import Executor
from server.halls.polls import Polls
from server.halls.rounds import Rounds
from server.http import audit, built, commands, errors, export, health, join, organiser, pages, redeem, staff, stream, well_known
from server.http import metrics as metrics_page
from server.http import run as http_run
from server.http.address import Addresses
from server.http.built import Built
from server.http.context import Context
from server.http.entrance import Entrance
from server.secret import load
from server.settings import ADDRESS, Settings
from server.sockets import engine
from server.sockets.namespace import Namespace
from server.sockets.sockets import Sockets
from server.store.appender import Appender
from server.store.client import Store, connect
from server.store.embedded import EmbeddedValkey
from server.store.erase import Eraser
from server.store.follower import Follower
from server.store.gauges import Presence, SupportGauges
from server.store.tokens import SpentTokens
from server.store.votes import Votes
from server.store.waiting import WaitingRooms

log = structlog.get_logger()

BACKLOG = 4_096
"""Connections that the kernel may hold until they are taken: a whole audience comes back at once."""
ASK_S = 5.0
"""How long the other processes may take to answer for themselves."""


@dataclass(slots=True)
class Whole:
    """Of several processes that share a port this is one. `ask(what, seconds)`: the parent, for all; None: no answer."""

    ask: Callable[[str, float], Awaitable[Any]]


@dataclass(slots=True)
class Node:
    """A running server, or one of its processes."""

    settings: Settings
    store: Store
    valkey: EmbeddedValkey | None
    follower: Follower
    appender: Appender
    gateway: Gateway
    executor: Executor
    entrance: Entrance
    tokens: SpentTokens
    rounds: Rounds
    links: Links
    door: Door
    url: str
    port: int
    built: Mapping[str, Built] = field(repr=False)
    whole: Whole | None = None
    neighbours: Callable[[], list[str]] = list
    """Warnings about what runs beside this server."""

    @property
    def organiser_url(self) -> str:
        """Address of the organiser's page, with the key in it."""
        return self.links.organiser_url()

    def connections(self) -> int:
        """WebSockets that are open."""
        return len(self.door.sockets)

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
        deaf = self.follower.deaf() if self.follower.healthy else []
        return [
            *self.neighbours(),
            *(f"town hall {runtime.code} has stopped" for runtime in self.gateway.directory.loaded() if runtime.stopped),
            *(f"town hall {code} is not followed: its server of the store does not answer" for code in deaf),
        ]

    async def health(self) -> tuple[list[str], list[str]]:
        """(problems, warnings) of the whole server."""
        if self.whole is None:
            return self.problems(), self.warnings()
        told = await self.whole.ask("ready", ASK_S)
        return (told["problems"], told["warnings"]) if told else (["the parent of this process does not answer"], [])

    async def closed_halls(self) -> list[tuple[str, str]]:
        """(code, address of its issuer) of closed town halls that are loaded here."""
        loaded = (runtime.hall for runtime in self.gateway.directory.loaded())
        return [
            (hall.code, hall.admission.issuer.url) for hall in loaded if hall.phase == "closed" and hall.admission is not None
        ]

    def figures(self) -> metrics.Families:
        """Of this process, now."""
        return measure.measured(self.gateway.directory, self.follower, self.appender, self.valkey)

    async def all_figures(self) -> metrics.Families:
        """Of the whole server; only our own where the parent does not answer."""
        told = await self.whole.ask("metrics", ASK_S) if self.whole is not None else None
        return told or self.figures()


@contextlib.asynccontextmanager
async def running(
    settings: Settings, *, whole: Whole | None = None, wall: Callable[[], float] = time.time
) -> AsyncIterator[Node]:
    """A node that serves until the context ends. Raises DataFolderBusy, ValkeyFailed, StoreUnavailable, OSError.

    `whole`: it is one of several processes; store, port and address are the parent's. `wall`: unix seconds.
    """
    data = Path(settings.data_dir)
    async with contextlib.AsyncExitStack() as stack:
        valkey = None
        url = settings.redis_url
        if not url:
            data.mkdir(parents=True, exist_ok=True)
            valkey = EmbeddedValkey(data, fsync=settings.fsync, maxmemory_bytes=settings.memory_max_mb * 1024**2)
            if whole is None:
                await valkey.start()
                stack.push_async_callback(valkey.stop)
            else:
                await valkey.attach()
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
        presence, tokens, waiting = Presence(store, name), SpentTokens(store), WaitingRooms(store, name)

        too_old = asyncio.Event()
        uring = open_uring() if settings.io_uring == "auto" else None
        if uring is not None:
            stack.callback(uring.close)
        flusher = Flusher(settings.flush_wait_max_ms / 1000, uring=uring)
        directory = Directory(
            store, appender, follower, eraser, support, presence, tokens, on_too_old=too_old.set, flusher=flusher, wall=wall
        )
        await directory.start()
        stack.push_async_callback(directory.stop)
        votes = Votes(store)
        ballots = Ballots(votes, eraser)
        executor = Executor(appender, follower, support, eraser, ballots, zone=settings.time_zone, clock=wall)
        polls = Polls(directory, executor, ballots, votes, wall)
        await polls.start()
        stack.push_async_callback(polls.stop)
        rounds = Rounds(directory, executor, tokens, waiting, wall)
        await rounds.start()
        stack.push_async_callback(rounds.stop)
        links = Links(secret, settings.public_url.rstrip("/"))
        admission = Admission(Tickets(secret, wall), StaffTickets(secret), links, links.organiser_key, secret.key("dedupe"))
        gateway = Gateway(directory, admission, executor, Waiters(waiting), posts_per_s=settings.posts_per_s)
        entrance = Entrance(gateway, Redeemer(admission, Redeeming(secret, wall), tokens, rounds, wall))

        sockets = Sockets(gateway, _staff(gateway))
        addresses = Addresses(settings.trusted_proxies)
        door = Door(sockets, addresses, settings.origins, lambda: links.public_url, lambda: gateway.draining)
        own = valkey if whole is None else None
        folder = built.folder()
        made = built.read(folder) if folder is not None else {}
        node = Node(
            settings, store, own, follower, appender, gateway, executor, entrance, tokens, rounds, links, door, "", 0, made, whole
        )
        runner = await http_run.set_up(application(node))
        stack.push_async_callback(runner.cleanup)
        assert runner.server is not None
        files, asks = Files(made, directory.here), Asks(entrance, addresses)
        desk = Desk(sockets, door, files, asks, runner.server, lambda: http_run.HEADERS_S)
        stack.push_async_callback(desk.stop)
        loop = asyncio.get_running_loop()
        listening = await loop.create_server(desk, settings.host, settings.port, backlog=BACKLOG, reuse_port=whole is not None)
        stack.callback(listening.close)
        for listener in listening.sockets if hasattr(socket, "TCP_NOTSENT_LOWAT") else ():
            # The kernel holds no more for one who does not read, either; what is accepted inherits it.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, limit("write_backlog_bytes"))
        sockets.start()
        stack.push_async_callback(sockets.stop)
        node.port = listening.sockets[0].getsockname()[1]
        node.url = f"http://{settings.host}:{node.port}"
        links.public_url = links.public_url or node.url
        if data.exists() and whole is None:
            (data / ADDRESS).write_text(links.public_url + "\n", "ascii")
        measure.begin()
        watch = asyncio.create_task(_leave_when_too_old(too_old, gateway), name="too-old")
        lag = asyncio.create_task(telemetry.measure_lag(metrics.LOOP_SECONDS.observe), name="loop-lag")
        tidy = asyncio.create_task(event_loop.keep_tidy(lambda: not len(sockets)), name="tidy")
        try:
            yield node
        finally:
            watch.cancel()
            tidy.cancel()
            lag.cancel()
            listening.close()
            await drain(gateway, settings.drain_s)


async def _leave_when_too_old(too_old: asyncio.Event, gateway: Gateway) -> None:
    await too_old.wait()
    log.error("node_too_old", reason="a log holds entries of a newer program")
    gateway.draining = True


def _staff(gateway: Gateway) -> socketio.AsyncServer:
    """python-socketio with the namespaces of the staff."""
    staff = engine.make()
    for role in ("host", "director", "overlay"):
        staff.register_namespace(Namespace(role, gateway))
    return staff


def application(node: Node) -> web.Application:
    """All routes."""
    context = Context(node.settings, node.gateway, node.door.addresses, node.built, node.store, node.entrance)
    app = web.Application(client_max_size=1, middlewares=[errors.answer_everything])
    app.router.add_route("*", PATH, node.door.handle)
    app.add_routes(
        [
            *health.routes(context, node.health),
            *metrics_page.routes(context, node.all_figures),
            *organiser.routes(context),
            *join.routes(context),
            *redeem.routes(context),
            *staff.routes(context),
            *commands.routes(context),
            *stream.routes(context),
            *export.routes(context),
            *pages.routes(context),
            *audit.routes(context),
            *well_known.routes(node.built, "chat"),
        ]
    )
    return app
