"""aiohttp's protocol as both servers speak it: what the library refuses by itself is answered as everything else is.

Its own answers to what is no HTTP, or no request that it takes, would lack our headers, repeat parts of the request, and log the
address that it came from.
"""

from http import HTTPStatus

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.web_protocol import RequestHandler

from server.http.errors import internal, plain


class Protocol(RequestHandler):
    """One connection."""

    __slots__ = ()

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """The answer to what could not be read, or was refused before there was a route. Closes the connection."""
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            internal("-", exc)
        writer: AbstractStreamWriter = request.writer
        if writer.output_size:
            raise ConnectionResetError("failed in the middle of an answer")
        response = plain(status)
        response.force_close()
        return response


class Server(web.Server):
    """Makes them."""

    def __call__(self) -> RequestHandler:
        return Protocol(self, loop=self._loop, **self._kwargs)


class Runner(web.AppRunner):
    """An application on them."""

    __slots__ = ()

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        handle = made.request_handler

        async def answered(request: web.BaseRequest) -> web.StreamResponse:
            # A look at Expect comes before the middlewares of an application (RFC 9110, 10.1.1: one value is known).
            if request.headers.get("Expect", "100-continue").lower() != "100-continue":
                return plain(HTTPStatus.EXPECTATION_FAILED)
            return await handle(request)

        return Server(answered, request_factory=made.request_factory, loop=made._loop, **made._kwargs)
