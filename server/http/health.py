"""Is it alive, and is it ready."""

from collections.abc import Awaitable, Callable
from importlib.metadata import PackageNotFoundError, version

from aiohttp import web

from server.http.context import Context
from server.http.security import headers


def own_version() -> str:
    """Of the installed package."""
    try:
        return version("townhall")
    except PackageNotFoundError:
        return "0"


def routes(context: Context, health: Callable[[], Awaitable[tuple[list[str], list[str]]]]) -> list[web.RouteDef]:
    """`/healthz`: the process answers. `/readyz`: 503 and the reasons while it should get no traffic.

    `health()` gives (problems, warnings) of the whole server, of all its processes.

    A town hall that has stopped is a warning: others go on, and another node would stop it just the same.
    """

    async def alive(_: web.Request) -> web.Response:
        body = {"ok": True, "version": own_version(), "store": context.store.version}
        return web.json_response(body, headers=headers("api"))

    async def ready(_: web.Request) -> web.Response:
        problems, warnings = await health()
        body = {"ok": not problems, "problems": problems, "warnings": warnings}
        return web.json_response(body, status=503 if problems else 200, headers=headers("api"))

    return [web.get("/healthz", alive), web.get("/readyz", ready)]
