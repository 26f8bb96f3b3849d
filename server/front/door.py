"""Who may open a WebSocket at all: asked before one is opened, and the words for those who may not."""

import asyncio
import random
from collections.abc import Callable, Sequence

from aiohttp import web

from protocol.limits import limit
from protocol.sentences import sentence
from server.front.handshake import Asked, answer, asked
from server.front.head import Head
from server.http.address import Addresses, peer_of, same_origin
from server.http.security import headers
from server.sockets.connection import Connection
from server.sockets.sockets import Sockets

AGAIN_S = (2, 10)
"""Between these, drawn by chance, may whoever finds no place come back (RFC 9110, 10.2.3)."""


class Door:
    """`origins`: allowed besides the server's own, which is `public_url()`."""

    def __init__(
        self,
        sockets: Sockets,
        addresses: Addresses,
        origins: Sequence[str],
        public_url: Callable[[], str],
        draining: Callable[[], bool],
    ) -> None:
        self.sockets = sockets
        self.addresses = addresses
        self._origins = origins
        self._public_url = public_url
        self._draining = draining

    def opens(self, head: Head, address: bytes) -> Asked | tuple[int, str]:
        """The handshake to answer; or the HTTP status and the code of a refusal. `address`: as of `address`."""
        found = asked(head)
        get = head.headers.get
        if found is None:
            return 400, "transport_refused"
        if not same_origin(get("origin"), get("host", ""), self._origins, self._public_url()):
            return 403, "not_admitted"
        if self._draining():
            return 503, "draining"
        if len(self.sockets) >= limit("connections"):
            return 503, "node_full"
        if self.sockets.by_address[address] >= limit("connections_per_address"):
            return 429, "too_many_connections"
        return found

    def open(self, transport: asyncio.Transport, address: bytes, found: Asked, rest: bytes) -> None:
        """Answer a handshake: from here on it is a connection of ours. `rest`: what came behind the head."""
        connection = Connection(self.sockets, transport, address, found.deflate)
        transport.set_protocol(connection)
        connection.begin(answer(found), rest)

    def address(self, head: Head, transport: object) -> bytes:
        """Opaque key of where it comes from."""
        return self.addresses.key(peer_of(transport), head.headers.get("x-forwarded-for", ""))

    async def handle(self, request: web.Request) -> web.Response:
        """What came to `/socket.io/` through aiohttp: refused in words, or taken over.

        A reverse proxy may send a handshake on a connection that has served other requests before.
        """
        version = f"{request.version.major}.{request.version.minor}"
        head = Head(request.method, version, request.raw_path, _joined(request))
        address = self.address(head, request.transport)
        found = self.opens(head, address)
        if not isinstance(found, Asked):
            status, code = found
            later = {"Retry-After": str(random.randint(*AGAIN_S))} if status in (429, 503) else {}
            return web.Response(status=status, text=_words(code), headers=headers("api") | later)
        http, transport = request.protocol, request.transport
        if transport is not None:
            # aiohttp lets go of its part as of a connection that is lost; without a transport it closes and writes nothing.
            http.transport = None
            http.connection_lost(None)
            self.open(transport, address, found, b"")
        return web.Response()


def _joined(request: web.Request) -> dict[str, str]:
    """As llhttp's are in `head`."""
    found: dict[str, str] = {}
    for name, value in request.headers.items():
        key = name.lower()
        found[key] = f"{found[key]}, {value}" if key in found else value
    return found


def _words(code: str) -> str:
    section = "closing" if code == "transport_refused" else "refusal"
    return f"{code}: {sentence('en', section, code)} / {sentence('ko', section, code)}\n"
