"""What HTTP handlers are given."""

from collections.abc import Mapping
from dataclasses import dataclass

from server.admission.binding import Binding
from server.gateway.gateway import Gateway
from server.http.address import Addresses
from server.http.built import Built
from server.http.entrance import Entrance
from server.http.openings import Guard
from server.settings import Settings
from server.store.client import Store


@dataclass(slots=True)
class Context:
    """`built`: the built pages, empty where there are none."""

    settings: Settings
    gateway: Gateway
    addresses: Addresses
    built: Mapping[str, Built]
    store: Store
    entrance: Entrance
    binding: Binding
    guard: Guard
