"""The rehearsal itself: everybody joins, posts and works, the town hall closes, the record is fetched."""

import asyncio
import contextlib
import datetime
import random
import time
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from loadtests.client import Client
from loadtests.corpus import distinct
from loadtests.rehearsal.desk import Desk, Staff
from loadtests.rehearsal.organiser import DIRECTORS, Organiser
from loadtests.rehearsal.people import Employee, Ledger
from loadtests.rehearsal.reckoning import Played
from protocol.names import Language

RECORD = ("record.jsonl", "questions.csv", "report.html")
SETTLE_S = 60.0
"""Longest wait, after the last message, until everybody has seen everything."""
WRITTEN_DAYS = 14
JOINING = 20
"""People who join at the same time."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`url` "": a server of its own."""

    people: int
    messages: int
    seconds: float
    seed: int
    out: Path
    url: str
    key: str
    lang: Language


async def play(plan: Plan, organiser: Organiser, session: aiohttp.ClientSession, url: str, code: str) -> tuple[Played, float]:
    """All of it, and how many seconds the posting took. Raises ScriptFailed, Failed, NotAdmitted, aiohttp's errors."""
    chance = random.Random(plan.seed)
    tokens = await organiser.tokens()
    said: dict[int, str] = {}
    ledger = Ledger()

    def client(role: str, token: str, news: object) -> Client:
        return Client(session, url, code, role, token, news)  # type: ignore[arg-type]  # Staff gives its own method

    host = Staff(client, "host", tokens["host", "host-1"], said)
    overlay = Staff(client, "overlay", tokens["overlay", "overlay"], said)
    directors = {id: Staff(client, "director", tokens["director", id], said) for id in DIRECTORS}
    employees = [Employee(session, url, code, said) for _ in range(plan.people)]
    staff = [host, overlay, *directors.values()]
    try:
        for one in staff:
            await one.client.connect()
        for place in range(0, len(employees), JOINING):
            await asyncio.gather(*(employee.join() for employee in employees[place : place + JOINING]))
        begun = time.monotonic()
        desk = Desk(host, directors)
        due = (datetime.date.today() + datetime.timedelta(days=WRITTEN_DAYS)).isoformat()
        texts = distinct(plan.messages, plan.seed)
        shares = [texts[place :: plan.people] for place in range(plan.people)]
        async with asyncio.TaskGroup() as group:
            for employee, share in zip(employees, shares, strict=True):
                group.create_task(employee.talk(share, plan.seconds, random.Random(chance.random()), ledger))
            group.create_task(desk.play(plan.seconds * 0.95, due))
        seconds = time.monotonic() - begun
        await organiser.command(code, "hall:close")
        await _settled([*(employee.client for employee in employees), *(one.client for one in staff)])
        record = {name: await organiser.record(code, name) for name in RECORD}
    finally:
        for one_client in (*(one.client for one in staff), *(e.client for e in employees if hasattr(e, "client"))):
            with contextlib.suppress(Exception):
                await one_client.close()
    return Played(ledger, employees, host, directors, overlay, desk.acts, record, plan.messages), seconds


async def _settled(clients: list[Client]) -> None:
    """Until all stand at the same place for a moment. What never comes is found by the reckoning."""
    ends, before = time.monotonic() + SETTLE_S, None
    while time.monotonic() < ends:
        places = {client.position for client in clients}
        if len(places) == 1 and places == before:
            return
        before = places
        await asyncio.sleep(1.0)
