"""What HTTP handlers are given."""

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from server.gateway.gateway import Gateway
from server.http.address import Addresses
from server.settings import Settings


@dataclass(slots=True)
class Context:
    """`pages`: folder of the built pages, None where there is none. `problems()`: why the node is not ready."""

    settings: Settings
    gateway: Gateway
    addresses: Addresses
    pages: Path | None
    store_version: str
    networks: tuple[IPv4Network | IPv6Network, ...] = field(default=())
