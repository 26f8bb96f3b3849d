"""What HTTP handlers are given."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import web

from protocol.limits import limit
from protocol.refusals import Refusal
from server.buckets import Buckets
from server.gateway.gateway import Gateway
from server.http.address import Addresses, asked_from
from server.http.built import Built
from server.http.entrance import Entrance
from server.http.replies import bearer
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
    wrong_keys: Buckets = field(default_factory=lambda: Buckets(limit("wrong_keys_per_address_per_min"), 60))

    def no_organiser(self, request: web.Request) -> Refusal | None:
        """None: the request carries the organiser's key. A wrong one counts against its address, the right one is always taken.

        Behind one proxy all have one address: if wrong keys kept the right one out, anybody could lock the organiser out.
        """
        if self.gateway.admission.is_organiser(bearer(request)):
            return None
        wait_s = self.wrong_keys.take(self.addresses.key(*asked_from(request)), time.monotonic())
        return Refusal("too_many_joins", retry_after_ms=int(wait_s * 1000) + 1) if wait_s else Refusal("not_admitted")
