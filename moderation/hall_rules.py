"""A town hall's life: draft → open → closed, and its setup."""

from collections import Counter
from datetime import date, timedelta
from typing import TypeVar

import msgspec

from moderation.context import ISSUER, Actor, Context
from moderation.decision import Decision, Rule, cleaned, one
from moderation.hall import Hall
from moderation.participation_rules import first_round
from moderation.poll_rules import closed as poll_closed
from moderation.text import clean
from protocol import commands as c
from protocol import entries as e
from protocol.limits import limit
from protocol.origins import is_safe_address, is_safe_origin
from protocol.refusals import Refusal
from protocol.setup import Admission, Setup

PHASES: dict[str, tuple[str, str]] = {"hall:open": ("draft", "open"), "hall:close": ("open", "closed")}
"""command → (phase it is taken from, phase it leads to)."""
Person = TypeVar("Person", bound=msgspec.Struct)


def checked(setup: Setup) -> Setup | Refusal:
    """A setup that makes sense: names cleaned and within bounds, ids unique, directors in departments that exist."""
    title = cleaned(setup.title, "title", field="$.setup.title")
    if isinstance(title, Refusal):
        return title
    for kind in ("departments", "directors", "hosts"):
        people = getattr(setup, kind)
        if len(people) > limit(kind):
            return Refusal("list_too_long", {"max": limit(kind)}, field=f"$.setup.{kind}")
        twice = [id for id, count in Counter(person.id for person in people).items() if count > 1]
        if twice:
            return Refusal("duplicate_id", {"id": twice[0]}, field=f"$.setup.{kind}")
        for place, person in enumerate(people):
            for name in ("name", "name_ko", "name_en", "title", "title_en"):
                value = getattr(person, name, "")
                checked_name = cleaned(value, "name", field=f"$.setup.{kind}[{place}].{name}", required=False)
                if isinstance(checked_name, Refusal):
                    return checked_name
    departments = {department.id for department in setup.departments}
    for place, director in enumerate(setup.directors):
        if director.department not in departments:
            return Refusal("no_such_department", field=f"$.setup.directors[{place}].department")
    if setup.video is not None and not is_safe_address(setup.video.url):
        return Refusal("bad_video", field="$.setup.video.url")
    return msgspec.structs.replace(
        setup,
        title=title,
        departments=tuple(_cleaned_names(department) for department in setup.departments),
        directors=tuple(_cleaned_names(director) for director in setup.directors),
        hosts=tuple(_cleaned_names(host) for host in setup.hosts),
    )


def _cleaned_names(person: Person) -> Person:
    names = ("name", "name_ko", "name_en", "title", "title_en")
    return msgspec.structs.replace(person, **{name: clean(getattr(person, name)) for name in names if hasattr(person, name)})


def create(code: str, actor: Actor, setup: Setup, context: Context, admission: Admission | None = None) -> Decision | Refusal:
    """The first entry of a town hall's log."""
    found = checked(setup)
    if isinstance(found, Refusal):
        return found
    if admission is not None and not is_safe_origin(admission.issuer.url):
        # Every visitor is sent there.
        return Refusal("bad_issuer_url", field="$.admission.issuer.url")
    return one(e.HallCreated(at=context.now, by=actor.by, code=code, setup=found, admission=admission))


def configure(hall: Hall, actor: Actor, command: c.ConfigureHall, context: Context) -> Decision | Refusal:
    """The whole setup anew. A director with questions cannot be dropped: somebody has to answer them."""
    setup = checked(command.setup)
    if isinstance(setup, Refusal):
        return setup
    kept = {director.id for director in setup.directors}
    for message in hall.messages.values():
        if message.director is not None and message.director not in kept and message.fate != "answered":
            return Refusal("no_such_director", field="$.setup.directors")
    if hall.phase == "open" and not setup.directors:
        return Refusal("no_director", field="$.setup.directors")
    return one(e.HallConfigured(at=context.now, by=actor.by, setup=setup))


def open_(hall: Hall, actor: Actor, command: c.OpenHall, context: Context) -> Decision | Refusal:
    """Needs somebody who can answer."""
    if not hall.setup.directors:
        return Refusal("no_director", field="$.setup.directors")
    return Decision((e.HallOpened(at=context.now, by=actor.by), *first_round(hall, context.now)))


def close(hall: Hall, actor: Actor, command: c.CloseHall, context: Context) -> Decision | Refusal:
    """Ends posting everywhere at once, and a poll that is open. What has no end yet is deferred: no question disappears."""
    return _closed(hall, actor.by, context)


def close_itself(hall: Hall, context: Context) -> Decision | None:
    """What a town hall does that nobody has closed in its time; None: it is not due."""
    ends_at = hall.ends_at
    return None if ends_at is None or context.now < ends_at else _closed(hall, "", context)


def _closed(hall: Hall, by: str, context: Context) -> Decision:
    due = date.fromisoformat(context.today) + timedelta(days=hall.setup.written_due_days)
    deferred = tuple(m.id for m in hall.messages.values() if m.has_open_end)
    closing = e.HallClosed(at=context.now, by=by, due=due.isoformat(), deferred=deferred)
    if hall.open_poll is not None:
        return Decision((poll_closed(hall.open_poll, by, context), closing))
    return one(closing)


def renew_links(hall: Hall, actor: Actor, command: c.RenewLinks, context: Context) -> Decision | Refusal:
    return one(e.LinksRenewed(at=context.now, by=actor.by, role=command.role))


def make_links(hall: Hall, actor: Actor, command: c.MakeLinks, context: Context) -> Decision | Refusal:
    """For people of the setup; and for further moderators, whom their label names."""
    most = limit("staff_links")
    if sum(link.holds(context.now) for link in hall.links.values()) + len(command.links) > most:
        return Refusal("list_too_long", {"max": most}, field="$.links")
    if command.expires <= context.now:
        return Refusal("link_expired", field="$.expires")
    made = []
    for place, link in enumerate(command.links):
        label = cleaned(link.label, "name", field=f"$.links[{place}].label")
        if isinstance(label, Refusal):
            return label
        if link.made in hall.links:
            return Refusal("duplicate_id", {"id": link.made}, field=f"$.links[{place}].made")
        if link.holder and actor.id != ISSUER:
            return Refusal("not_allowed", field=f"$.links[{place}].holder")
        if link.holder in hall.barred:
            return Refusal("link_revoked")
        if not hall.is_staff(link.role, link.id):
            return Refusal("no_such_director", field=f"$.links[{place}].id")
        made.append(
            e.LinkMade(
                at=context.now,
                by=actor.by,
                made=link.made,
                role=link.role,
                id=link.id,
                label=label,
                secret=link.secret,
                holder=link.holder,
                expires=command.expires,
            )
        )
    return Decision(tuple(made))


def revoke_link(hall: Hall, actor: Actor, command: c.RevokeLink, context: Context) -> Decision | Refusal:
    link = hall.links.get(command.link)
    if link is None:
        return Refusal("no_such_link", field="$.link")
    if link.revoked:
        return Refusal("link_revoked", field="$.link")
    return one(e.LinkRevoked(at=context.now, by=actor.by, revoked=command.link))


RULES: dict[type[c.Command], Rule] = {
    c.ConfigureHall: configure,
    c.OpenHall: open_,
    c.CloseHall: close,
    c.RenewLinks: renew_links,
    c.MakeLinks: make_links,
    c.RevokeLink: revoke_link,
}
