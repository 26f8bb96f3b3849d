"""The organiser's interface to invitations: a CSV in; slips, a CSV or mail out."""

import json
from functools import partial
from typing import Final

from aiohttp import web

from protocol.refusals import Refusal
from server.http.body import read_bytes
from server.http.replies import done, language, no
from server.http.security import headers
from server.issuer.invitations import GuestList, Invitations, Invited, guests
from server.issuer.mail import Mailer
from server.issuer.routes import Desk, guarded
from server.issuer.slips import letter, merged, printed

FORMS: Final = {"html": "text/html", "csv": "text/csv", "mail": ""}
COUNTS: Final = "X-Invitations"
"""Header of an answer whose body is the slips or the CSV: the counts, as JSON."""
SLIPS_CSP: Final = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


def routes(desk: Desk, invitations: Invitations, mailer: Mailer) -> list[web.RouteDef]:
    """`POST`, `GET` and `DELETE /api/v1/issuances/CODE/invitations`."""

    async def invite(request: web.Request) -> web.StreamResponse:
        form = request.query.get("form", "html")
        if form not in FORMS:
            return no(Refusal("bad_request", field="$.form"), request)
        if form == "mail" and not mailer.set_up:
            return no(Refusal("no_mail"), request)
        issuance = await desk.find(request)
        if isinstance(issuance, Refusal):
            return no(issuance, request)
        if not issuance.open:
            return no(Refusal("issuing_closed"), request)
        raw = await read_bytes(request, "guests_bytes")
        found = raw if isinstance(raw, Refusal) else guests(raw, language(request))
        if isinstance(found, Refusal):
            return no(found, request)
        if form == "mail":
            without = [guest.name for guest in found.guests if not guest.address]
            if without:
                return no(Refusal("guest_without_address", {"name": without[0]}), request)
            if not mailer.sending(issuance.code).ended:
                return no(Refusal("busy", retry_after_ms=5_000), request)
        invited = await invitations.invite(issuance, found.guests, desk.public_url)
        made, told = invited.made, counts(invited, found)
        if form == "mail":
            letters = [(one.guest.address, partial(letter, issuance, one, mailer.sender)) for one in made]
            mailer.send(issuance.code, letters)
            return done(told)
        body = printed(issuance, made) if form == "html" else merged(made)
        extra = {
            **headers("api", SLIPS_CSP),
            COUNTS: json.dumps(told),
            "Content-Disposition": f'attachment; filename="{issuance.code}-invitations.{form}"',
        }
        return web.Response(body=body, content_type=FORMS[form], charset="utf-8", headers=extra)

    async def void(request: web.Request) -> web.StreamResponse:
        issuance = await desk.find(request)
        if isinstance(issuance, Refusal):
            return no(issuance, request)
        voided = await invitations.void(issuance)
        return done({"voided": voided, "holding": await invitations.count(issuance)})

    async def state(request: web.Request) -> web.StreamResponse:
        issuance = await desk.find(request)
        if isinstance(issuance, Refusal):
            return no(issuance, request)
        sending = mailer.sending(issuance.code)
        return done(
            {
                "invited": await invitations.count(issuance),
                "mail": mailer.set_up,
                "sending": not sending.ended,
                "sent": sending.sent,
                "total": sending.total,
                "failed": sending.failed,
            }
        )

    return [
        web.post("/api/v1/issuances/{code}/invitations", guarded(desk, invite)),
        web.get("/api/v1/issuances/{code}/invitations", guarded(desk, state)),
        web.delete("/api/v1/issuances/{code}/invitations", guarded(desk, void)),
    ]


def counts(invited: Invited, found: GuestList) -> dict[str, int]:
    """What the organiser is told of a file: nobody is merged or left out in silence."""
    return {
        "invited": len(invited.made),
        "holding": invited.holding,
        "replaced": invited.replaced,
        "same_address": found.same_address,
        "same_name": found.same_name,
    }
