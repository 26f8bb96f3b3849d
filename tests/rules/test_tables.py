"""Every cell of the tables is what the rules do."""

import re
from typing import Any, get_args

import pytest

from moderation.decide import RULES
from moderation.message_rules import MESSAGE_STATES
from moderation.permissions import PHASES, allowed
from moderation.question_rules import QUESTION_FATES
from protocol.closings import CLOSINGS, comes_back
from protocol.commands import COMMANDS, QUERIES, Command, NewLink, names_for
from protocol.limits import LIMITS
from protocol.names import Phase, Role
from protocol.refusals import REFUSALS, Refusal
from protocol.sentences import LANGUAGES, section
from tests.town import D1, HOST, ORGANISER, SETUP, START, Town, employee

ACTORS: dict[Role, Any] = {"audience": employee(1), "host": HOST, "director": D1, "organiser": ORGANISER}
FIELDS: dict[str, dict[str, Any]] = {
    "message:post": {"text": "글"},
    "message:remove": {"reason": "spam"},
    "author:mute": {"reason": "spam"},
    "author:unmute": {"author": "0" * 16},
    "author:release": {"author": "0" * 16},
    "pseudonym:choose": {"pseudonym": (1, 2, 3)},
    "question:move": {"position": 0},
    "question:route": {"director": "d1"},
    "question:merge": {"into": 1},
    "question:defer": {"due": "2026-12-01"},
    "question:decline": {"reason": "other"},
    "question:answer": {"text": "답"},
    "question:return": {"reason": "아닙니다"},
    "chat:slow": {"seconds": 3},
    "chat:mode": {"mode": "reviewed"},
    "newcomers:set": {"on": True},
    "overlay:ticker": {"on": True},
    "overlay:key": {"on": True},
    "overlay:poll": {"on": True},
    "poll:open": {"question": "언제 할까요?", "choices": ("아침", "저녁")},
    "poll:close": {"poll": 1},
    "hall:configure": {"setup": SETUP},
    "links:renew": {"role": "host"},
    "links:make": {
        "links": (NewLink(made="0123abcd", role="host", id="host-1", label="진행", secret="0" * 64),),
        "expires": START + 60,
    },
    "link:revoke": {"link": "0123abcd"},
}


def town_in(phase: Phase) -> tuple[Town, int]:
    town = Town(opened=phase != "draft")
    id = town.question() if phase != "draft" else 1
    if phase == "closed":
        from protocol.commands import CloseHall

        town.must(HOST, CloseHall)
    return town, id


def test_every_command_has_a_rule_a_role_and_phases() -> None:
    assert set(RULES) == set(COMMANDS.values())
    assert set(PHASES) == set(COMMANDS)
    assert all(kind.roles for kind in COMMANDS.values())
    assert all(kind.roles for kind in QUERIES.values())


@pytest.mark.parametrize("phase", get_args(Phase))
@pytest.mark.parametrize("role", ACTORS)
@pytest.mark.parametrize("name", COMMANDS)
def test_each_cell_of_the_permissions(name: str, role: Role, phase: Phase) -> None:
    town, id = town_in(phase)
    kind: type[Command] = COMMANDS[name]
    fields = dict(FIELDS.get(name, {}))
    if "message" in kind.__struct_fields__:
        fields["message"] = id
    done = town.do(ACTORS[role], kind, **fields)
    code = done.code if isinstance(done, Refusal) else ""
    if allowed(role, name, phase):
        assert code not in ("not_allowed", "wrong_phase", "hall_draft", "hall_closed")
    elif role not in kind.roles:
        assert code == "not_allowed"
    else:
        assert code in ("wrong_phase", "hall_draft", "hall_closed")


def test_the_overlay_may_only_watch() -> None:
    assert names_for("overlay") == {"view:resume"}


def test_the_lifecycle_tables_name_commands_that_exist() -> None:
    assert set(MESSAGE_STATES) | set(QUESTION_FATES) <= set(COMMANDS)


def reach(town: Town, fate: str | None) -> int:
    """A visible message with this fate."""
    from protocol import commands as c

    if fate is None:
        return town.post()
    id = town.question()
    if fate in ("queued", "on_air", "answered"):
        town.must(HOST, c.RouteQuestion, message=id, director="d1")
    if fate in ("on_air", "answered"):
        town.must(HOST, c.AirQuestion, message=id)
    if fate == "answered":
        town.must(HOST, c.FinishQuestion, message=id)
    if fate == "merged":
        town.must(HOST, c.MergeQuestion, message=id, into=town.question())
    if fate == "deferred":
        town.must(HOST, c.RouteQuestion, message=id, director="d1")
        town.must(HOST, c.DeferQuestion, message=id, due="2026-12-01")
    if fate == "declined":
        town.must(HOST, c.DeclineQuestion, message=id, reason="other")
    return id


@pytest.mark.parametrize("fate", [None, "asked", "queued", "on_air", "answered", "merged", "deferred", "declined"])
@pytest.mark.parametrize("name", QUESTION_FATES)
def test_each_cell_of_the_lifecycle_of_questions(name: str, fate: str | None) -> None:
    town = Town()
    id = reach(town, fate)
    other = town.question()
    kind = COMMANDS[name]
    fields = {"message": id, **FIELDS.get(name, {})}
    if name == "question:merge":
        fields["into"] = other
    if name == "question:route":
        fields["director"] = "d2"
    if name == "question:move":
        from protocol.commands import PickMessage

        town.must(HOST, PickMessage, message=other)
        fields["position"] = 1 if fate == "queued" else 0
    actor = HOST if "host" in kind.roles else D1
    done = town.do(actor, kind, **fields)
    if fate in QUESTION_FATES[name][0]:
        assert not isinstance(done, Refusal), done
        to = QUESTION_FATES[name][1]
        if to in ("queued", "on_air", "answered", "merged", "deferred", "declined"):
            assert town.fate(id) == to
    else:
        assert isinstance(done, Refusal)
        assert town.fate(id) == fate


@pytest.mark.parametrize("state", ["visible", "held", "removed"])
@pytest.mark.parametrize("name", MESSAGE_STATES)
def test_each_cell_of_the_lifecycle_of_messages(name: str, state: str) -> None:
    from protocol import commands as c

    town = Town()
    id = town.post()
    if state == "held":
        town.must(HOST, c.HoldMessage, message=id)
    if state == "removed":
        town.must(HOST, c.RemoveMessage, message=id, reason="spam")
    actor = employee(1) if name == "message:withdraw" else HOST
    done = town.do(actor, COMMANDS[name], message=id, **FIELDS.get(name, {}))
    froms, to = MESSAGE_STATES[name]
    assert isinstance(done, int) == (state in froms)
    assert town.hall.messages[id].state == (to if state in froms else state)


def test_every_code_has_a_sentence_in_both_languages() -> None:
    for lang in LANGUAGES:
        assert set(section(lang, "refusal")) == set(REFUSALS)
        assert set(section(lang, "closing")) == set(CLOSINGS.values())


def keys(found: Any, path: str = "") -> set[str]:
    if isinstance(found, dict):
        return set().union(*(keys(value, f"{path}.{name}") for name, value in found.items()))
    return {path}


@pytest.mark.parametrize("name", sorted(path.stem for path in __import__("pathlib").Path("protocol/catalogue/ko").glob("*.json")))
def test_both_languages_have_the_same_keys_and_placeholders(name: str) -> None:
    korean, english = section("ko", name), section("en", name)
    assert keys(korean) == keys(english)

    def placeholders(found: Any) -> Any:
        if isinstance(found, dict):
            return {key: placeholders(value) for key, value in found.items()}
        return set(re.findall(r"\{(\w+)\}", found)) if isinstance(found, str) else len(found)

    for key, value in placeholders(korean).items():
        if key not in ("due", "by", "did"):
            assert value == placeholders(english)[key], key


def test_close_codes_say_by_their_range_whether_to_come_back() -> None:
    assert comes_back(3001)
    assert not comes_back(3500)


def test_limits_that_refuse_name_a_code_that_exists() -> None:
    known = set(REFUSALS) | {str(code) for code in CLOSINGS} | {"-"}
    assert {item.code for item in LIMITS.values()} <= known


def test_a_refusal_needs_a_known_code() -> None:
    with pytest.raises(ValueError, match="not in the table"):
        Refusal("no_such_code")
