"""A-06: two hundred people bring what exists nowhere else, take part and leave; then everything is searched for it.

What may be found where is the table in docs/threat-model.md.
"""

import asyncio
import csv
import io
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from loadtests.blinding import Wallet
from loadtests.entry import b64, get_signed, show, unb64
from tests.browser.test_entry import open_town_hall
from tests.faults.served import Served
from tests.waiting import until

PEOPLE = 200
AT_ONCE = 10
CODE = "CANARY"
DRAWN = 20
"""People whose codes, tickets and signatures are looked for in memory: each is a search of its own through all of it."""
OTHERS = 100
"""Requests of others between two looks at the memory."""
LATER = 40
"""People who come after them, and are not looked for."""
LATER_AT_ONCE = 4
RUN = uuid4().hex
RESIDUE = PEOPLE // 50
"""Of so many people something may still lie in memory that was freed and not yet used again, whatever the table says."""
MEMORY_S = 120.0
"""Within which what they brought must have left the memory of the chat."""
TABLE = Path(__file__).parents[2] / "docs" / "threat-model.md"
PLACES = ("chat's data folder", "chat's memory", "issuer's data folder", "logs", "exports")


def allowed() -> dict[str, dict[str, bool]]:
    """{what: {place: whether it may be there}}, as the documentation says."""
    found: dict[str, dict[str, bool]] = {}
    for line in TABLE.read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 1 + len(PLACES) and set(cells[1:]) <= {"yes", "no"}:
            found[cells[0]] = {place: cell == "yes" for place, cell in zip(PLACES, cells[1:], strict=True)}
    return found


@dataclass(slots=True)
class Person:
    """Somebody, and what only they bring."""

    number: int
    values: dict[str, str] = field(default_factory=dict)
    ticket: str = ""

    def __post_init__(self) -> None:
        mark = f"{RUN}{self.number:04}"
        self.values = {
            "name": f"Name{mark}",
            "e-mail address": f"mail{mark}@town.example.org",
            "user agent": f"Agent/{mark}",
            "cookie": f"cookie{mark}",
            "network address": f"127.{10 + self.number // 250}.{97 + self.number % 100}.{150 + self.number % 90}",
            "text of a message": f"글{mark}",
        }

    def browser(self) -> aiohttp.ClientSession:
        """From their own address, with their own browser."""
        connector = aiohttp.TCPConnector(local_addr=(self.values["network address"], 0), force_close=True)
        headers = {"User-Agent": self.values["user agent"], "Cookie": f"any={self.values['cookie']}"}
        return aiohttp.ClientSession(connector=connector, headers=headers)


def memory(pid: int) -> bytes:
    """All that a process can read and write."""
    found = []
    with Path(f"/proc/{pid}/mem").open("rb", 0) as mem:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            place = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
            if place is None or "[vvar" in line:
                continue
            start, end = int(place[1], 16), int(place[2], 16)
            try:
                mem.seek(start)
                found.append(mem.read(end - start))
            except (OSError, ValueError, OverflowError):
                continue
    return b"\0".join(found)


def files(folder: Path, without: str = "") -> bytes:
    """All below a folder."""
    return b"\0".join(
        path.read_bytes() for path in folder.rglob("*") if path.is_file() and (not without or without not in path.parts)
    )


def hits(haystack: bytes, people: list[Person], drawn: int = PEOPLE) -> dict[str, int]:
    """{what: of how many people it is there}. What the server draws is looked for one by one, of the first `drawn` people."""
    found: dict[str, int] = {}
    for what, value in people[0].values.items():
        begin, marked, end = value.partition(f"{RUN}0000")
        if marked:
            # All of a kind at once: they share a beginning that exists nowhere else.
            numbers = re.findall(re.escape(f"{begin}{RUN}".encode()) + rb"(\d{4})" + re.escape(end.encode()), haystack)
            found[what] = len({number for number in numbers if int(number) < len(people)})
        elif what == "network address":
            there = set(re.findall(rb"(?<![\d.])127\.\d{1,3}\.\d{1,3}\.\d{1,3}(?![\d.])", haystack))
            found[what] = sum(person.values[what].encode() in there for person in people)
        else:
            found[what] = sum(person.values[what].encode() in haystack for person in people[:drawn])
    return found


async def take_part(person: Person, served: Served, issuer: str, card: dict[str, Any], gate: asyncio.Semaphore) -> None:
    """From the invitation to a ticket."""
    async with gate, person.browser() as session:
        wallet = Wallet(CODE, unb64(card["key"]))
        person.values["blinded value"] = b64(wallet.ask())
        await get_signed(session, issuer, wallet, "invitation", person.values["invitation code"])
        person.values["signature"] = b64(wallet.signature)
        person.ticket = person.values["ticket"] = await show(session, served.url, wallet)


async def post(person: Person, served: Served, gate: asyncio.Semaphore) -> None:
    """One message, as soon as posting is open to them."""
    headers = {"Authorization": f"Bearer {person.ticket}"}
    payload = {"client_id": uuid4().hex, "text": person.values["text of a message"]}
    body = {"command": "message:post", "payload": payload}

    async def posted() -> bool:
        async with gate, person.browser() as session:
            async with session.post(
                f"{served.url}/api/v1/halls/{CODE}/audience/commands", json=body, headers=headers
            ) as response:
                ack = await response.json()
        if not ack["ok"]:
            assert ack["error"]["code"] in ("waiting_for_others", "too_few_participants", "too_fast"), ack
            await asyncio.sleep(1)
        return bool(ack["ok"])

    await until(posted, 120)


async def test_nothing_of_anybody_is_anywhere_that_the_documentation_does_not_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = allowed()
    del table["OIDC subject"]  # whoever signs in at a provider is in test_adversary.py
    everybody = [Person(number) for number in range(PEOPLE + LATER)]
    people, later = everybody[:PEOPLE], everybody[PEOPLE:]
    log = tmp_path / "log"
    served = Served(tmp_path / "data", before=("sh", "-c", f"exec \"$@\" 2>>'{log}'", "sh"), issuer=True)
    await served.start()
    try:
        async with aiohttp.ClientSession() as session:
            issuer = await open_town_hall(
                session, served, CODE, ["invitation"], minimum_participants=30, round_s=0, round_people=1
            )
            key = re.search(r"issuer: \S+/organiser#(\S+)", served.said)
            assert key is not None
            rows = "name,email\n" + "".join(f"{p.values['name']},{p.values['e-mail address']}\n" for p in everybody)
            url = f"{issuer}/api/v1/issuances/{CODE}/invitations?form=csv"
            async with session.post(url, data=rows.encode(), headers={"Authorization": f"Bearer {key[1]}"}) as response:
                assert response.status == 200
                made = list(csv.DictReader(io.StringIO((await response.read()).decode("utf-8-sig"))))
            for person, row in zip(everybody, made, strict=True):
                assert row["address"] == person.values["e-mail address"]
                person.values["invitation code"] = row["code"]
            async with session.get(f"{served.url}/api/v1/halls/{CODE}") as response:
                card = (await response.json())["data"]["admission"]["issuer"]
            assert set(people[0].values) | {"blinded value", "signature", "ticket"} == set(table)

            gate = asyncio.Semaphore(AT_ONCE)
            await asyncio.gather(*(take_part(person, served, issuer, card, gate) for person in people))
            await asyncio.gather(*(post(person, served, gate) for person in people))
            exports = b""
            organiser = {"Authorization": f"Bearer {served.organiser}"}
            for path in (
                "export/record.jsonl",
                "export/questions.csv",
                "export/polls.csv",
                "export/report.html",
                "audit.jsonl",
                "organiser",
            ):
                async with session.get(f"{served.url}/api/v1/halls/{CODE}/{path}", headers=organiser) as response:
                    assert response.status == 200
                    exports += await response.read()
            for path in ("/healthz", "/readyz", "/metrics"):
                async with session.get(served.url + path) as response:
                    exports += await response.read()

        chat = tmp_path / "data"
        searched: dict[str, bytes] = {
            "chat's data folder": files(chat, "issuer"),
            "issuer's data folder": files(chat / "issuer"),
            "logs": served.said.encode() + log.read_bytes(),
            "exports": exports,
        }
        found = {place: hits(content, people) for place, content in searched.items()}

        async def others() -> None:
            """Life goes on: what nobody refers to any more lies in memory only until it is used again."""
            some = [later.pop() for _ in range(min(LATER_AT_ONCE, len(later)))]
            await asyncio.gather(*(take_part(person, served, issuer, card, gate) for person in some))
            await asyncio.gather(*(post(person, served, gate) for person in some))
            async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session:
                for _ in range(OTHERS):
                    async with session.get(f"{served.url}/api/v1/halls/{CODE}") as response:
                        await response.read()

        async def forgotten() -> dict[str, int] | None:
            await others()
            now = hits(memory(served.pid), people, DRAWN)
            held = (what for what, count in now.items() if count > RESIDUE and not table[what]["chat's memory"])
            return now if not any(held) else None

        found["chat's memory"] = await until(forgotten, MEMORY_S)
        with capsys.disabled():
            for what, places in table.items():
                print(f"\n  {what:18} " + "  ".join(f"{place}: {found[place][what]}" for place in places), end="")
        for what, places in table.items():
            for place, may in places.items():
                most = RESIDUE if place == "chat's memory" else 0
                assert may or found[place][what] <= most, f"{what} of {found[place][what]} people stands in the {place}"
        # The search finds what is there.
        assert found["chat's data folder"]["text of a message"] == found["exports"]["text of a message"] == PEOPLE
    finally:
        await served.stop()
