"""Handing out staff links: made here, written into the log as hashes, told once."""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple
from uuid import uuid4

from moderation.context import ISSUER, Actor
from moderation.hall import Hall
from protocol.commands import MakeLinks
from protocol.grants import Grant
from protocol.limits import limit
from protocol.names import Language, StaffRole
from protocol.refusals import Refusal
from protocol.sentences import section
from protocol.views import RoleLink
from server.admission.links import Links
from server.halls.execute import Executor
from server.halls.runtime import Runtime

DAYS = 30
"""How long a link holds where nothing else is asked for."""


class Holder(NamedTuple):
    """Who gets a link. `id` "": a moderator who is not in the setup."""

    role: StaffRole
    id: str
    label: str


def everybody(hall: Hall, lang: Language) -> list[Holder]:
    """All hosts and directors of the setup, and the overlay."""
    overlay = section(lang, "organiser")["role"]["overlay"]
    return [
        *(Holder("host", host.id, host.name) for host in hall.setup.hosts),
        *(Holder("director", director.id, director.name) for director in hall.setup.directors),
        Holder("overlay", "overlay", overlay),
    ]


async def hand_out(
    executor: Executor,
    links: Links,
    runtime: Runtime,
    holders: Sequence[Holder],
    *,
    days: int = DAYS,
    clock: Callable[[], float] = time.time,
) -> tuple[RoleLink, ...] | Refusal:
    """A new link for each of `holders`, good for `days`. The addresses exist nowhere else afterwards."""
    if not holders:
        return ()
    made = [links.new(runtime.code, *holder) for holder in holders]
    command = MakeLinks(client_id=uuid4().hex, links=tuple(new for new, _ in made), expires=int(clock()) + days * 86_400)
    done = await executor.execute(runtime, Actor("organiser"), None, command)
    return done if isinstance(done, Refusal) else tuple(told for _, told in made)


async def let_in(
    executor: Executor, links: Links, runtime: Runtime, grant: Grant, *, clock: Callable[[], float] = time.time
) -> tuple[int, RoleLink] | Refusal:
    """A link of their own for somebody who signed in at the issuer: (seq of its entry, link). A grant is good once."""
    new, told = links.new(runtime.code, grant.role, grant.id, grant.label, made=grant.made, holder=grant.holder)
    command = MakeLinks(client_id=uuid4().hex, links=(new,), expires=int(clock()) + limit("granted_link_s"))
    done = await executor.execute(runtime, Actor("organiser", id=ISSUER), None, command)
    if isinstance(done, Refusal):
        return Refusal("not_admitted") if done.code == "duplicate_id" else done
    return done.seq, told
