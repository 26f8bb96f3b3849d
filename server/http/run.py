"""aiohttp as both servers run it: how long a connection may take, and answers that do not name what they are made by."""

from aiohttp import web

from server.http.protocol import Runner

HEADERS_S = 15.0
"""A connection that has not sent the whole head of a request by then, or idles between two, is closed."""
LINGER_S = 2.0
"""How long the rest of a body that nobody wants is read and dropped before the connection is closed."""
ENDS_S = 2.0
"""How long requests that are being answered may take when the server stops."""


async def set_up(app: web.Application) -> web.AppRunner:
    """Ready to be put on a socket; `cleanup()` ends it."""
    runner = Runner(
        app,
        access_log=None,
        keepalive_timeout=HEADERS_S,
        lingering_time=LINGER_S,
        auto_decompress=False,
        handle_signals=False,
        shutdown_timeout=ENDS_S,
    )
    await runner.setup()
    return runner
