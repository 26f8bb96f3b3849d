"""The scripted host, the six directors and the overlay."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from loadtests.client import Client
from loadtests.rehearsal.people import Sight
from protocol.frames import CHANGED, RESET

PICKS = 20
RETURNED = (4, 11)
DEFERRED = (2, 9, 16)
DECLINED = 13
"""Places among the picked: two come back from a director and go to another, three are deferred, one is declined."""
WAIT_S = 30.0
"""Longest wait for a page to show what was done."""
DEFER_NOTE = "자료를 확인한 뒤 서면으로 답변드리겠습니다."


class ScriptFailed(Exception):
    """Something that must work was refused, or never showed."""


@dataclass(slots=True)
class Acts:
    """What the script did, to be found again in the record: ids of questions."""

    picked: list[int] = field(default_factory=list)
    returned: list[int] = field(default_factory=list)
    deferred: list[int] = field(default_factory=list)
    declined: list[int] = field(default_factory=list)
    answered: list[int] = field(default_factory=list)
    director: dict[int, str] = field(default_factory=dict)
    cards: dict[str, set[int]] = field(default_factory=dict)
    """Which questions each director was to be shown."""


class Staff:
    """One staff link. `shown`: the newest fragment of each name."""

    def __init__(self, client: Callable[..., Client], role: str, token: str, said: dict[int, str]) -> None:
        self.sight = Sight(said)
        self.shown: dict[tuple[str, int | None], Any] = {}
        self.aired: list[int] = []
        self.seen_cards: set[int] = set()
        self.client = client(role, token, self._news)

    def _news(self, name: str, body: Any) -> None:
        self.sight.news(name, body)
        if name == RESET:
            self.shown.clear()
        if name not in (RESET, CHANGED):
            return
        for fragment in body["entries"]:
            kind, id = fragment["k"], fragment.get("id")
            if kind == "gone":
                self.shown.pop(("question", id), None)
                continue
            self.shown[(kind, id if kind in ("message", "question") else None)] = fragment
            if kind == "question":
                self.seen_cards.add(id)
            if kind == "lower_third" and id is not None and self.aired[-1:] != [id]:
                self.aired.append(id)

    async def must(self, name: str, **payload: Any) -> Any:
        """Raises ScriptFailed with the sentence of the refusal."""
        ack = await self.client.call(name, {"client_id": uuid4().hex, **payload})
        if not ack["ok"]:
            raise ScriptFailed(f"{name} {payload}: {ack['error']['code']}: {ack['error']['message']}")
        return ack

    async def until(self, what: Callable[[], Any], words: str) -> Any:
        """Wait for the page to show it; its value. Raises ScriptFailed."""
        ends = time.monotonic() + WAIT_S
        while not (found := what()):
            if time.monotonic() > ends:
                raise ScriptFailed(words)
            await asyncio.sleep(0.02)
        return found


class Desk:
    """Plays the script: pick, route, then what each place in it is meant to become."""

    def __init__(self, host: Staff, directors: dict[str, Staff]) -> None:
        self._host = host
        self._directors = directors
        self.acts = Acts()

    async def play(self, seconds: float, due: str) -> Acts:
        """All PICKS spread over `seconds`. `due`: date of the written answers. Raises ScriptFailed, TimeoutError."""
        begun = time.monotonic()
        ids = list(self._directors)
        for place in range(PICKS):
            await asyncio.sleep(max(0.0, begun + place * seconds / PICKS - time.monotonic()))
            await self._one(place, ids, due)
        return self.acts

    async def _one(self, place: int, directors: Sequence[str], due: str) -> None:
        acts, id = self.acts, await self._host.until(self._asked, "no question to pick")
        await self._host.must("question:pick", message=id)
        acts.picked.append(id)
        director = await self._route(id, directors[place % len(directors)])
        if place in RETURNED:
            await director.must("question:return", message=id, reason="저희 소관이 아니어서 되돌려 드립니다.")
            acts.returned.append(id)
            director = await self._route(id, directors[(place + 1) % len(directors)])
        if place == DECLINED:
            await self._host.must(
                "question:decline", message=id, reason="individual_case", note="개별 면담으로 안내드리겠습니다."
            )
            acts.declined.append(id)
        elif place in DEFERRED:
            await director.must("question:defer", message=id, due=due, note=DEFER_NOTE)
            acts.deferred.append(id)
        else:
            await director.must("question:accept", message=id)
            await self._host.must("question:air", message=id)
            await director.until(lambda: director.shown.get(("on_air", None), {}).get("id") == id, f"{id} never on air")
            await director.must("answer:start", message=id)
            await director.must("question:finish", message=id)
            acts.answered.append(id)

    async def _route(self, id: int, to: str) -> Staff:
        await self._host.must("question:route", message=id, director=to)
        self.acts.director[id] = to
        self.acts.cards.setdefault(to, set()).add(id)
        director = self._directors[to]
        await director.until(lambda: ("question", id) in director.shown, f"{id} never reached {to}")
        return director

    def _asked(self) -> int | None:
        """The oldest question that waits for a host."""
        for (kind, id), fragment in self._host.shown.items():
            if kind == "message" and fragment["state"] == "visible" and fragment.get("fate", {}).get("state") == "asked":
                return id
        return None
