"""Where a request comes from: as a key that is worth nothing after an hour, in memory only."""

import secrets
import time
from collections.abc import Callable, Sequence
from ipaddress import ip_address, ip_network

from aiohttp import web

from protocol.origins import host_of, is_literal
from server.mac import Mac

SALT_S = 3600


class Addresses:
    """`trusted_proxies`: networks whose X-Forwarded-For is believed, counted from the right. `clock`: monotonic seconds."""

    def __init__(self, trusted_proxies: Sequence[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._trusted = [ip_network(network) for network in trusted_proxies]
        self._clock = clock
        self._salted = Mac(secrets.token_bytes(32))
        self._since = clock()

    def key(self, peer: str, forwarded: str) -> bytes:
        """The same for the same address within an hour; no way back to it. `forwarded`: X-Forwarded-For."""
        if self._clock() - self._since > SALT_S:
            self._salted, self._since = Mac(secrets.token_bytes(32)), self._clock()
        return self._salted.of(self.of(peer, forwarded).encode())[:12]

    def of(self, peer: str, forwarded: str) -> str:
        """The address, never to be logged or kept."""
        if not forwarded:
            return peer
        hops = [_without_port(hop.strip()) for hop in forwarded.split(",") if hop.strip()]
        while hops and self._is_trusted(peer):
            peer = hops.pop()
        return peer

    def _is_trusted(self, address: str) -> bool:
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._trusted)


def _without_port(hop: str) -> str:
    """`203.0.113.5:51001` and `[2001:db8::1]:443` as some proxies write them; a port would make an address of its own."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


def asked_from(request: web.Request) -> tuple[str, str]:
    """What `Addresses.key` and `of` take, of a request."""
    return peer_of(request.transport), ", ".join(request.headers.getall("X-Forwarded-For", ()))


def peer_of(transport: object) -> str:
    """The address at the other end, "" if it has none."""
    ask = getattr(transport, "get_extra_info", None)
    peer = ask("peername") if ask is not None else None
    return str(peer[0]) if isinstance(peer, tuple) else ""


def same_origin(origin: str | None, host: str, allowed: Sequence[str], public_url: str) -> bool:
    """Whether the page that asks is our own or one that is allowed. Without an Origin it is no page of a browser.

    The Host that a request names counts only where it is an IP address or `localhost`: any other name may lead to this server
    because somebody else's name server says so (DNS rebinding).
    """
    if origin is None or origin == public_url.rstrip("/") or origin in allowed:
        return True
    return origin in (f"http://{host}", f"https://{host}") and is_literal(host_of(f"http://{host}"))
