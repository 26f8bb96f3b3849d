"""Web addresses as the two servers must tell them apart: what an origin is, whose host name it has, what is this machine.

Cookies know no ports (RFC 6265, 8.5): whatever has the host name of the issuer is sent the issuer's cookies.
"""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

_NAME: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
"""A last label that makes browsers read the whole name as an IPv4 address (WHATWG URL, "ends in a number")."""

_PORTS: Final = {"http": 80, "https": 443}


def host_of(url: str) -> str:
    """The host name of a web address as browsers compare it: small, without port, brackets or a dot at its end.

    "": it has none, or one that is read differently by different programs.
    """
    parts = _parts(url)
    return "" if parts is None else host_name(parts.hostname or "")


def host_name(host: str) -> str:
    """The same of a host name without a port."""
    name = host.lower().removeprefix("[").removesuffix("]").removesuffix(".")
    try:
        name = name.encode("idna").decode("ascii") if not name.isascii() else name
    except UnicodeError:
        return ""
    found = _literal(name)
    if found is not None:
        return str(found)
    return "" if not _NAME.fullmatch(name) or _NUMBER.fullmatch(name.rpartition(".")[2]) else name


def same_host(one: str, other: str) -> bool:
    """Whether two web addresses share their cookies: the host names are equal, whatever the ports."""
    found = host_of(one)
    return found != "" and found == host_of(other)


def is_literal(host: str) -> bool:
    """Whether `host` is an IP address or `localhost`: no name server can give it to somebody else."""
    name = host_name(host)
    return _literal(name) is not None or is_loopback(name)


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine for every browser (RFC 6761, 6.3)."""
    name = host_name(host)
    found = _literal(name)
    return found.is_loopback if found is not None else name == "localhost" or name.endswith(".localhost")


def is_origin(url: str) -> bool:
    """Scheme, host and port, nothing more, and as browsers send it: small letters, no port that goes without saying."""
    parts = _parts(url)
    if parts is None or not url.isascii() or "@" in parts.netloc or parts.port == _PORTS[parts.scheme]:
        return False
    return host_of(url) != "" and url == f"{parts.scheme}://{parts.netloc.lower()}"


def is_safe_origin(url: str) -> bool:
    """An origin that nobody on the way can answer for: https, or this machine."""
    return is_origin(url) and _is_safe(url)


def is_safe_address(url: str) -> bool:
    """A web address, with a path perhaps, of such an origin."""
    parts = _parts(url)
    return parts is not None and host_of(url) != "" and "@" not in parts.netloc and _is_safe(url)


def _is_safe(url: str) -> bool:
    return url.startswith("https://") or is_loopback(host_of(url))


def _parts(url: str) -> SplitResult | None:
    """None: it is no web address, or one that browsers read otherwise than we do."""
    if "\\" in url or any(sign.isspace() or not sign.isprintable() for sign in url):
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts if parts.scheme in ("http", "https") and parts.hostname else None


def _literal(name: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(name)
    except ValueError:
        return None
