"""`townhall serve` and `townhall demo`: the server, with the issuer beside it, until a signal ends it."""

import argparse
import contextlib
import resource
from collections.abc import AsyncIterator

from protocol.names import Language
from server import app, event_loop
from server.commands.closing import closing
from server.commands.settings import used
from server.commands.terminal import say
from server.demo.run import crowd, demo_hall, print_links
from server.issuer.beside import Beside, beside
from server.settings import Settings
from server.toolbox import toolbox
from server.workers.parent import Parent, supervising

FILES = 65_536
"""Open files that a server asks for, within what it is allowed: one a connection, and some for itself."""


async def serve_command(given: argparse.Namespace, settings: Settings, sources: dict[str, str], lang: Language) -> int:
    """Until SIGINT or SIGTERM."""
    _more_files()
    stopped = event_loop.stop_signal()
    print(used(settings, sources, lang), flush=True)
    async with _served(settings) as server, _issuer(given, settings, server) as issuer:
        event_loop.settle()
        if server.valkey is not None and server.valkey.adopted:
            print(say(lang, "adopted", pid=server.valkey.pid))
        print(f"organiser: {server.links.organiser_url()}")
        if issuer:
            print(f"issuer: {issuer.organiser_url}")
        print(say(lang, "listening", url=server.url), flush=True)
        await stopped.wait()
        print(say(lang, "stopping"), flush=True)
    return 0


async def demo_command(given: argparse.Namespace, settings: Settings, sources: dict[str, str], lang: Language) -> int:
    """The server with a demo town hall."""
    _more_files()
    stopped = event_loop.stop_signal()
    async with _served(settings) as server, _issuer(given, settings, server) as issuer, contextlib.AsyncExitStack() as stack:
        same = _same(given) if issuer else None
        async with contextlib.AsyncExitStack() as shortly:
            if isinstance(server, app.Node):
                directory, executor, links = server.gateway.directory, server.executor, server.links
            else:
                tools = await shortly.enter_async_context(toolbox(settings))
                directory, executor, links = tools.directory, tools.executor, server.links
            hall = await demo_hall(directory, executor, links, settings, same)
            if issuer:
                print(f"issuer: {issuer.organiser_url}")
            await print_links(executor, links, hall)
        event_loop.settle()
        if not given.quiet:
            await stack.enter_async_context(crowd(server.url, hall.code))
        await stopped.wait()
        print(say(lang, "stopping"), flush=True)
    return 0


def _more_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _served(settings: Settings) -> contextlib.AbstractAsyncContextManager[app.Node | Parent]:
    """One process that does all, or a parent with workers."""
    return app.running(settings) if settings.workers == 1 else supervising(settings)


def _same(given: argparse.Namespace) -> list[str]:
    """What another command is given so that it uses the settings of this one."""
    flags = {"data_dir": "--data", "redis_url": "--redis"}
    found = [word for name, flag in flags.items() if (value := getattr(given, name, None)) for word in (flag, str(value))]
    return [*found, *(("--config", str(given.config)) if given.config else ())]


@contextlib.asynccontextmanager
async def _issuer(given: argparse.Namespace, settings: Settings, server: app.Node | Parent) -> AsyncIterator[Beside | None]:
    """The issuer beside this server, which tells when it is down; None: it runs elsewhere."""
    if settings.issuer == "none":
        yield None
        return
    # Its port follows from the chat's, which may be given on the command line.
    arguments = [*_same(given), "--port", str(settings.port)]
    async with beside(arguments, same_port=not settings.port and not settings.issuer_port) as found:
        server.neighbours = found.warnings
        async with closing(server.closed_halls, lambda: found.url, _same(given)):
            yield found
