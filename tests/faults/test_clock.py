"""R-12: the nodes' clocks differ, and are set forward and back while people are there: nobody is thrown out, nothing moves."""

from pathlib import Path
from uuid import uuid4

import aiohttp

from loadtests.client import Client, ticket
from server.store.embedded import EmbeddedValkey
from tests.faults.served import Served
from tests.waiting import until

CLOCK = """
import os, time
real = time.time
def shifted():
    with open(os.environ["CLOCK_SHIFT"]) as file:
        return real() + float(file.read() or 0)
time.time = shifted
"""
"""As sitecustomize.py, which Python runs before anything of ours: the process lives in another time."""


class Shifted(Served):
    """A node whose wall clock can be set; its monotonic one goes on, as everywhere."""

    def __init__(self, folder: Path, valkey: EmbeddedValkey, shift_s: float) -> None:
        self.shift = folder / "shift"
        (folder / "site").mkdir(parents=True)
        (folder / "site/sitecustomize.py").write_text(CLOCK)
        self.set(shift_s)
        environ = {"CLOCK_SHIFT": str(self.shift), "PYTHONPATH": f"{folder / 'site'}:{Path(__file__).parents[2]}"}
        environ |= {"TOWNHALL_REDIS_URL": valkey.url, "TOWNHALL_SECRET_FILE": str(folder.parent / "secret")}
        super().__init__(folder / "data", environ=environ)

    def set(self, shift_s: float) -> None:
        """By how many seconds it goes wrong from now on."""
        made = self.shift.with_suffix(".new")
        made.write_text(str(shift_s))
        made.rename(self.shift)


class Person:
    """A client, and the texts and figures it was shown."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.viewers = -1
        self.client: Client | None = None

    def news(self, name: str, body: dict[str, object]) -> None:
        self.viewers = body.get("viewers") or self.viewers  # type: ignore[assignment]  # JSON
        self.texts += [one["text"] for one in body.get("entries", ()) if one["k"] == "message"]  # type: ignore[attr-defined]


async def test_clocks_that_differ_or_jump_throw_nobody_out_and_change_no_order(tmp_path: Path, valkey: EmbeddedValkey) -> None:
    nodes = [Shifted(tmp_path / "fast", valkey, 60), Shifted(tmp_path / "late", valkey, -60)]
    try:
        for node in nodes:
            await node.start()
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            await nodes[0].open_hall(session)
            people = [Person() for _ in range(16)]
            for number, person in enumerate(people):
                # The ticket is from one node, the connection to the other.
                token = await ticket(session, nodes[number % 2].url, "TESTED")
                url = nodes[1 - number % 2].url
                person.client = Client(session, url, "TESTED", "audience", token, person.news)
                await person.client.connect()

            async def everybody_posts(what: str) -> None:
                for number, person in enumerate(people):
                    assert person.client is not None
                    ack = await person.client.call("message:post", {"client_id": uuid4().hex, "text": f"{what} {number}"})
                    assert ack["ok"], ack

            await everybody_posts("시계가 다르다")
            await until(lambda: all(person.viewers == len(people) for person in people))
            for rounds, shifts in enumerate(((3_660, -3_660), (-3_600, 3_600), (0, 0)), 2):
                for node, shift in zip(nodes, shifts, strict=True):
                    node.set(shift)
                await everybody_posts(f"{shifts}")
                await until(lambda rounds=rounds: all(len(person.texts) == rounds * len(people) for person in people))
            expected = people[0].texts
            assert all(person.texts == expected for person in people)
            assert expected == await nodes[1].published(session)
            await until(lambda: all(person.viewers == len(people) for person in people))
            for person in people:
                assert person.client is not None
                assert person.client.connected
                await person.client.close()
    finally:
        for node in nodes:
            await node.stop()
