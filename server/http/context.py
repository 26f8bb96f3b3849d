"""What HTTP handlers are given."""

from dataclasses import dataclass
from pathlib import Path

from server.gateway.gateway import Gateway
from server.gateway.redeem import Redeemer
from server.http.address import Addresses
from server.settings import Settings
from server.store.client import Store


@dataclass(slots=True)
class Context:
    """`pages`: folder of the built pages, None where there is none."""

    settings: Settings
    gateway: Gateway
    addresses: Addresses
    pages: Path | None
    store: Store
    redeemer: Redeemer
