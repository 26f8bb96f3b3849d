"""Staff links in the rules: made, used, expired, revoked one by one or by role; and who the log says it was."""

from typing import Any

import msgspec
import pytest

from moderation.sentences import told
from protocol import commands as c
from protocol.commands import NewLink
from protocol.entries import MessageRemoved
from protocol.limits import limit
from tests.town import D1, ORGANISER, SETUP, Town


def new(made: str = "0123abcd", role: str = "host", id: str = "host-1", label: str = "비서실") -> NewLink:
    return NewLink(made=made, role=role, id=id, label=label, secret="0" * 64)  # type: ignore[arg-type]  # also what is no role


def test_a_link_holds_until_it_expires() -> None:
    town = Town()
    town.must(ORGANISER, c.MakeLinks, links=(new(),), expires=town.now + 60)
    link = town.hall.links["0123abcd"]
    assert link.holds(town.now + 59) and not link.holds(town.now + 60)
    assert (link.role, link.id, link.label, link.made_at) == ("host", "host-1", "비서실", town.now)


def test_one_link_is_revoked_and_no_other() -> None:
    town = Town()
    town.must(ORGANISER, c.MakeLinks, links=(new(), new("ffffffff", label="도지사")), expires=town.now + 60)
    town.must(ORGANISER, c.RevokeLink, link="0123abcd")
    assert [link.holds(town.now) for link in town.hall.links.values()] == [False, True]
    assert town.refused(ORGANISER, c.RevokeLink, link="0123abcd").code == "link_revoked"
    assert town.refused(ORGANISER, c.RevokeLink, link="11111111").code == "no_such_link"


def test_renewing_revokes_all_of_a_role_and_of_no_other() -> None:
    town = Town()
    links = (new(), new("ffffffff"), new("aaaaaaaa", "director", "d1"))
    town.must(ORGANISER, c.MakeLinks, links=links, expires=town.now + 60)
    town.must(ORGANISER, c.RenewLinks, role="host")
    assert [link.revoked for link in town.hall.links.values()] == [True, True, False]


@pytest.mark.parametrize(
    ("link", "code"),
    [
        (new(role="director", id="nobody"), "no_such_director"),
        (new(role="overlay", id="host-1"), "no_such_director"),
        (new(id="stranger"), "no_such_director"),
        (new(label="가" * 81), "text_too_long"),
        (new(label=" \u200b "), "text_empty"),
    ],
)
def test_a_link_for_nobody_is_refused(link: NewLink, code: str) -> None:
    town = Town()
    refusal = town.refused(ORGANISER, c.MakeLinks, links=(link,), expires=town.now + 60)
    assert refusal.code == code and (refusal.field or "").startswith("$.links[0]")


def test_a_name_is_given_once_and_the_number_of_links_has_a_bound() -> None:
    town = Town()
    town.must(ORGANISER, c.MakeLinks, links=(new(),), expires=town.now + 60)
    assert town.refused(ORGANISER, c.MakeLinks, links=(new(),), expires=town.now + 60).code == "duplicate_id"
    assert town.refused(ORGANISER, c.MakeLinks, links=(new("00000001"),), expires=town.now).code == "link_expired"
    for start in range(1, limit("staff_links"), 333):
        many = tuple(new(f"{number:08x}") for number in range(start, start + 333))
        town.must(ORGANISER, c.MakeLinks, links=many, expires=town.now + 60)
    assert town.refused(ORGANISER, c.MakeLinks, links=(new("fffffff0"),), expires=town.now + 60).code == "list_too_long"
    town.now += 60  # what has expired counts no more
    town.must(ORGANISER, c.MakeLinks, links=(new("fffffff0"),), expires=town.now + 60)


def test_a_moderator_outside_the_setup_is_known_by_the_label() -> None:
    town = Town()
    town.must(ORGANISER, c.MakeLinks, links=(new(id="m-0123abcd", label="보조 진행자"),), expires=town.now + 60)
    assert town.hall.is_staff("host", "m-0123abcd")
    assert town.hall.name_of("host:m-0123abcd") == "보조 진행자"
    assert town.hall.moderators() == {"m-0123abcd": "보조 진행자"}


def test_who_leaves_the_setup_is_staff_no_longer() -> None:
    town = Town()
    town.must(ORGANISER, c.ConfigureHall, setup=msgspec.structs.replace(SETUP, hosts=SETUP.hosts[:1]))
    assert town.hall.is_staff("host", "host-1") and not town.hall.is_staff("host", "host-2")
    assert not town.hall.is_staff("audience", "")


def test_the_log_names_the_label_of_the_link_that_was_used() -> None:
    town = Town()
    town.must(ORGANISER, c.MakeLinks, links=(new(), new("ffffffff", label="도지사")), expires=town.now + 60)
    message = town.post()

    def said(link: str | None) -> str:
        return told(town.hall, 99, MessageRemoved(at=1, by="host:host-1", link=link, message=message, reason="spam"), "ko")

    by = [told(town.hall, 99, e, "ko") for e in (town.log[-3],)]
    assert "비서실" in by[0]
    assert said(None) == said("ffffffff")


@pytest.mark.parametrize("command", [c.MakeLinks, c.RevokeLink, c.RenewLinks])
def test_only_the_organiser_deals_with_links(command: type[c.Command]) -> None:
    fields: dict[type[c.Command], dict[str, Any]] = {
        c.MakeLinks: {"links": (new(),), "expires": 2**39},
        c.RevokeLink: {"link": "0123abcd"},
        c.RenewLinks: {"role": "host"},
    }
    assert Town().refused(D1, command, **fields[command]).code == "not_allowed"
