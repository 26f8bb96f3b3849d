"""The open code: anybody with the link is eligible. Each browser gets one entry; whoever uses two has two. The pages say so."""

import re
from collections.abc import Sequence
from typing import Final

from aiohttp import web

from protocol.refusals import Refusal
from protocol.setup import EligibilityKind
from server.issuer.eligibility import Issuance

_BROWSER: Final = re.compile(r"[A-Za-z0-9_-]{22,64}")


class OpenCode:
    """`proof` is a random value that the browser keeps at the issuer's origin."""

    kind: Final[EligibilityKind] = "open"

    def routes(self) -> Sequence[web.RouteDef]:
        """None."""
        return ()

    async def person(self, request: web.Request, issuance: Issuance, proof: str) -> tuple[bytes, ...] | Refusal:
        """The browser."""
        return (b"open:" + proof.encode(),) if _BROWSER.fullmatch(proof) else Refusal("bad_request", field="$.proof")

    def given(self, request: web.Request, response: web.StreamResponse) -> None:
        """Nothing to drop: the browser keeps its value, and asks again with it if the answer is lost."""
