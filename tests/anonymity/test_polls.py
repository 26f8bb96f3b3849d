"""A-10, polls: one vote for each person whatever they do and whatever breaks, no figure that tells of a single one, and
nothing left of who voted for what.
"""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from loadtests.client import Client
from loadtests.client import ticket as watching_ticket
from moderation.context import Context
from moderation.decision import one
from moderation.poll_rules import closed
from moderation.views import audience, host, overlay
from protocol import commands as c
from protocol import wire
from protocol.bus import unpack
from protocol.entries import PollClosed
from protocol.refusals import Refusal
from server.halls.polls import SEALED_S
from server.store import log as store_log
from server.store.client import Store
from server.store.keys import Keys
from server.store.votes import Votes, ballot
from tests.anonymity.meeting import CODE, Meeting, meeting
from tests.town import HOST, HOST_2, ORGANISER
from tests.waiting import until

CHOICES = ("아침", "점심", "저녁")
TABS = 3


async def opened(two: Meeting) -> int:
    """A poll that every node knows."""
    answer: Any = await two.do(HOST, c.OpenPoll(client_id=uuid4().hex, question="언제 할까요?", choices=CHOICES))
    assert not isinstance(answer, Refusal), answer
    for node in two.nodes:
        runtime = await two.runtime(node)
        await until(lambda runtime=runtime: runtime.hall.open_poll == answer.seq)
    return int(answer.seq)


async def people(two: Meeting, count: int) -> list[list[str]]:
    """For each their tabs: tickets of the same person, shown at one node and the other."""
    wallets = [await two.signed(f"person {number}".encode()) for number in range(count)]
    found = [[await two.show(wallet, two.nodes[tab % len(two.nodes)]) for tab in range(TABS)] for wallet in wallets]
    await two.admitted(count)
    return found


async def vote(two: Meeting, ticket: str, poll: int, choice: int, place: int = 0) -> Any:
    return await two.send(ticket, "poll:vote", two.nodes[place % 2], poll=poll, choice=choice)


async def vote_until_taken(two: Meeting, ticket: str, poll: int, choice: int, place: int = 0) -> set[str]:
    """As a page does: again while the refusal says that it can help. Codes of what was refused meanwhile."""
    refused: set[str] = set()

    async def taken() -> bool:
        ack = await vote(two, ticket, poll, choice, place)
        if not ack["ok"]:
            assert ack["error"]["temporary"], ack
            refused.add(ack["error"]["code"])
        return bool(ack["ok"])

    await until(taken, 60)
    return refused


async def later(two: Meeting, poll: int, seconds: int) -> None:
    """The clock of the store goes on, as far as figures are told by it."""
    await two.node.store.of(CODE).hincrby(Keys(CODE).tally(poll), "told_at", -seconds)


async def everything_told(two: Meeting, poll: int) -> bytes:
    """All that anybody is told of a poll: views, live figures, the record; but for its id and its times."""
    told = []
    for node in two.nodes:
        runtime = await two.runtime(node)
        views = (audience.snapshot(runtime.hall), host.snapshot(runtime.hall), overlay.snapshot(runtime.hall))
        told += [wire.fragment(fragment) for view in views for fragment in view if getattr(fragment, "id", None) == poll]
        told.append(wire.dumps(runtime.board.all(runtime.hall).poll))
        url = f"{node.url}/api/v1/halls/{CODE}/export"
        for name in ("record.jsonl", "polls.csv", "report.html"):
            async with two.session.get(f"{url}/{name}", headers={"Authorization": f"Bearer {node.links.organiser_key}"}) as got:
                assert got.status == 200
                content = await got.read()
                told += [line for line in content.splitlines() if "언제 할까요?".encode() in line]
    return b"\n".join(told)


async def closed_entries(store: Store, poll: int) -> list[PollClosed]:
    """What the log says came of a poll; in order."""
    entries = [unpack(body, text) async for _, body, text in store_log.read_all(store, CODE)]
    return [entry for entry in entries if isinstance(entry, PollClosed) and entry.poll == poll]


async def test_everybody_counts_once_whatever_they_do_and_whatever_breaks(two: Meeting) -> None:
    await two.open()
    everybody = await people(two, 23)
    poll = await opened(two)
    gauges: list[Any] = []
    watching = Client(
        two.session,
        two.nodes[1].url,
        CODE,
        "audience",
        await watching_ticket(two.session, two.node.url, CODE),
        lambda name, body: gauges.append(body["poll"]) if name == "gauges:changed" and "poll" in body else None,
    )
    await watching.connect()
    wanted: dict[int, int] = {}

    # Fifty times the same at once, on both nodes; and every tab of four people, who change their minds.
    acks = await asyncio.gather(*(vote(two, everybody[0][n % TABS], poll, 2, n) for n in range(50)))
    assert all(ack["ok"] and ack["data"] == {"poll": poll, "choice": 2} for ack in acks), acks
    for person in range(4):
        for tab in range(TABS):
            await vote_until_taken(two, everybody[person][tab], poll, tab, tab)
        wanted[person] = TABS - 1
    redis = two.node.store.of(CODE)
    assert await redis.zcard(Keys(CODE).votes(poll)) == 4
    before = await everything_told(two, poll)
    assert b"counts" not in before.replace(b'"counts":null', b"") and b"voters" not in before.replace(b'"voters":null', b"")
    assert gauges == []

    # Of nine nothing is told, however long it takes; of ten once it has taken long enough, about; and no more by the next.
    wanted[3] = 1
    await vote_until_taken(two, everybody[3][1], poll, 1, 1)
    wanted |= dict.fromkeys(range(4, 9), 0)
    for person in range(4, 9):
        await vote_until_taken(two, everybody[person][0], poll, 0)
    await later(two, poll, 3_600)
    assert await Votes(two.node.store).tell(CODE, poll, 3) is None and gauges == []
    await vote_until_taken(two, everybody[9][0], poll, 0)
    wanted[9] = 0
    await until(lambda: gauges, 10)
    assert gauges[0]["voters"] == 10 and sum(gauges[0]["counts"]) == 10
    assert all(count % 5 == 0 for count in gauges[0]["counts"]), "in parts of five voters"

    # The rest vote, and vote again from all tabs, until the store was killed and is back; and once more after that.
    valkey = two.node.valkey
    assert valkey is not None
    wanted |= {person: person % 3 for person in range(10, 23)}
    refused: set[str] = set()
    taken = 0

    async def insist(person: int, tab: int) -> None:
        nonlocal taken
        again = True
        while again:
            again = valkey.restarts == 0
            refused.update(await vote_until_taken(two, everybody[person][tab], poll, wanted[person], person))
            taken += 1

    voting = [asyncio.create_task(insist(person, tab)) for person in range(10, 23) for tab in range(TABS)]
    await until(lambda: taken)
    os.kill(valkey.pid, signal.SIGKILL)
    await asyncio.gather(*voting)
    assert refused & {"not_saved", "unknown_outcome"}, refused
    for person, choice in wanted.items():
        ack = await two.send(everybody[person][0], "poll:mine", two.nodes[person % 2], poll=poll)
        assert ack["data"] == {"poll": poll, "choice": choice}
    assert len(gauges) == 1, "thirteen more have voted, but not for long enough"
    await later(two, poll, 15)
    await until(lambda: len(gauges) == 2, 10)
    assert gauges[1]["voters"] == 20 and sum(gauges[1]["counts"]) == 20

    # Two hosts close it at once.
    closing = [c.ClosePoll(client_id=uuid4().hex, poll=poll) for _ in range(2)]
    answers = await asyncio.gather(two.do(HOST, closing[0], two.nodes[0]), two.do(HOST_2, closing[1], two.nodes[1]))
    assert [answer.code for answer in answers if isinstance(answer, Refusal)] == ["poll_closed"]
    counts = Counter(wanted.values())
    for node in two.nodes:
        runtime = await two.runtime(node)
        await until(lambda runtime=runtime: not runtime.hall.polls[poll].open)
        found = runtime.hall.polls[poll]
        assert (found.voters, found.counts) == (23, tuple(counts[choice] for choice in range(3)))
        assert runtime.board.all(runtime.hall).poll is None
    assert len(await closed_entries(two.node.store, poll)) == 1
    for place in range(2):
        ack = await vote(two, everybody[0][place], poll, 0, place)
        assert ack["error"]["code"] == "poll_closed"
        assert (await two.send(everybody[0][0], "poll:mine", two.nodes[place], poll=poll))["data"]["choice"] is None
    await watching.close()


async def test_of_fewer_than_five_nothing_is_told_while_it_is_open_nor_after(two: Meeting) -> None:
    await two.open()
    everybody = await people(two, 4)
    poll = await opened(two)
    for tabs in everybody:
        await vote_until_taken(two, tabs[0], poll, 1)
    await two.do(HOST, c.ClosePoll(client_id=uuid4().hex, poll=poll))
    for node in two.nodes:
        runtime = await two.runtime(node)
        await until(lambda runtime=runtime: not runtime.hall.polls[poll].open)
    told = await everything_told(two, poll)
    assert b"counts" not in told.replace(b'"counts":null', b"") and b"voters" not in told.replace(b'"voters":null', b"")
    (entry,) = await closed_entries(two.node.store, poll)
    assert (entry.voters, entry.counts) == (None, None)
    await until(lambda: nothing_left(two, poll))


async def nothing_left(two: Meeting, poll: int) -> bool:
    """Neither votes nor their key are in the store."""
    keys, redis = Keys(CODE), two.node.store.of(CODE)
    left = await redis.exists(keys.votes(poll), keys.tally(poll)) or await redis.hexists(keys.secrets, f"poll:{poll}")
    return not left and await redis.hget(keys.polls, str(poll)) == b"dropped"


async def test_whoever_may_not_post_may_not_vote(tmp_path: Path) -> None:
    async with meeting(tmp_path) as hall:
        await hall.make(minimum_participants=2, round_s=0, round_people=1)
        await hall.open()
        (tabs,) = await people(hall, 1)
        poll = await opened(hall)
        watching = await watching_ticket(hall.session, hall.node.url, CODE)
        assert (await hall.send(watching, "poll:vote", poll=poll, choice=0))["error"]["code"] == "watching_only"
        assert (await hall.send(watching, "poll:mine", poll=poll))["data"] == {"poll": poll, "choice": None}
        assert (await hall.send(tabs[0], "poll:vote", poll=poll, choice=0))["error"]["code"] == "too_few_participants"
        second = await hall.show(await hall.signed(b"second"))
        await hall.admitted(2)
        for ticket in (tabs[0], second):
            assert (await hall.send(ticket, "poll:vote", poll=poll, choice=0))["ok"]
        for payload, code in (
            ({"poll": poll, "choice": 3}, "no_such_choice"),
            ({"poll": poll + 1, "choice": 0}, "no_such_poll"),
            ({"poll": poll, "choice": -1}, "bad_request"),
            ({"poll": poll, "choice": "0"}, "bad_request"),
        ):
            assert (await hall.send(second, "poll:vote", **payload))["error"]["code"] == code


# --- what breaks off ---
async def test_a_closing_that_breaks_off_after_the_seal_is_finished_with_the_same_figures(two: Meeting) -> None:
    await two.open()
    everybody = await people(two, 6)
    poll = await opened(two)
    for number, tabs in enumerate(everybody):
        await vote_until_taken(two, tabs[0], poll, number % 2, number)
    # What a host's node does first; then it is gone.
    assert await Votes(two.node.store).seal(CODE, poll, 3) == [3, 3, 0]
    assert (await vote(two, everybody[0][1], poll, 2, 1))["error"]["code"] == "poll_closed"
    runtime = await two.runtime(two.nodes[1])
    await until(lambda: not runtime.hall.polls[poll].open, SEALED_S + 20)
    assert runtime.hall.polls[poll].counts == (3, 3, 0)
    await until(lambda: nothing_left(two, poll))
    assert len(await closed_entries(two.node.store, poll)) == 1


async def test_votes_that_outlived_their_poll_are_dropped_by_whoever_looks(two: Meeting) -> None:
    await two.open()
    everybody = await people(two, 5)
    poll = await opened(two)
    for tabs in everybody:
        await vote_until_taken(two, tabs[0], poll, 1)
    runtime = await two.runtime()
    # The entry is written, and whoever wrote it is gone before it could drop the votes.
    tally = await Votes(two.node.store).seal(CODE, poll, 3)
    assert await two.node.executor.note(runtime, one(closed(poll, HOST.by, Context(now=1, today="", tally=tally))))
    await until(lambda: nothing_left(two, poll))
    (entry,) = await closed_entries(two.node.store, poll)
    assert entry.counts == (0, 5, 0)


async def test_a_node_that_is_late_opens_no_box_anew(two: Meeting) -> None:
    await two.open()
    poll = await opened(two)
    votes = Votes(two.nodes[1].store)
    assert await votes.key(CODE, poll) is not None
    await two.do(HOST, c.ClosePoll(client_id=uuid4().hex, poll=poll))
    await until(lambda: nothing_left(two, poll))
    assert await votes.key(CODE, poll) is None
    assert await votes.put(CODE, poll, b"any key", b"voter", 0, 3) == "sealed"
    assert await votes.seal(CODE, poll, 3) is None
    assert await nothing_left(two, poll)


async def test_two_nodes_with_different_keys_take_one_vote(two: Meeting) -> None:
    """A store that comes back from a copy may have forgotten a poll's key, and the votes with it."""
    await two.open()
    ((first, second, *_),) = await people(two, 1)
    poll = await opened(two)
    for place, ticket in enumerate((first, second)):
        await vote_until_taken(two, ticket, poll, 0, place)
    keys, redis = Keys(CODE), two.node.store.of(CODE)
    await redis.delete(keys.votes(poll), keys.tally(poll))
    await redis.hdel(keys.secrets, f"poll:{poll}")
    # One node was started again and asks for a key; the other still has the one before.
    (await two.runtime()).poll_key = None
    for place, ticket in enumerate((first, second)):
        await vote_until_taken(two, ticket, poll, 2, place)
    assert [one[16:] for one in await redis.zrange(keys.votes(poll), 0, -1)] == [b"\x02"]


class Between:
    """The store, where something happens between a node's first look at a poll's key and its second."""

    def __init__(self, store: Store, happens: Callable[[], Awaitable[object]]) -> None:
        self.looks = 0
        self._store = store
        self._happens = happens

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def of(self, code: str) -> "Between.Client":
        return Between.Client(self, self._store.of(code))

    class Client:
        def __init__(self, between: "Between", client: Any) -> None:
            self._between = between
            self._client = client

        def __getattr__(self, name: str) -> Any:
            return getattr(self._client, name)

        @asynccontextmanager
        async def pipeline(self, **options: bool) -> AsyncIterator[Any]:
            self._between.looks += 1
            if self._between.looks == 2:
                await self._between._happens()
            async with self._client.pipeline(**options) as pipe:
                yield pipe


async def test_a_key_that_becomes_another_before_its_mark_is_written_is_looked_up_again(two: Meeting) -> None:
    await two.open()
    poll = await opened(two)
    keys, redis, other = Keys(CODE), two.node.store.of(CODE), b"o" * 32

    async def an_older_copy() -> None:
        await redis.hset(keys.secrets, f"poll:{poll}", other)

    votes = Votes(Between(two.node.store, an_older_copy))  # type: ignore[arg-type]
    assert await votes.key(CODE, poll) == other
    assert await votes.put(CODE, poll, other, b"voter", 0, 3) == "taken", "the mark is of the key that stands"


async def test_a_box_that_is_dropped_before_the_mark_is_written_leaves_nothing(two: Meeting) -> None:
    await two.open()
    poll = await opened(two)

    async def closed_elsewhere() -> None:
        await Votes(two.node.store).drop(CODE, [poll])

    votes = Votes(Between(two.node.store, closed_elsewhere))  # type: ignore[arg-type]
    assert await votes.key(CODE, poll) is None
    assert await nothing_left(two, poll)


async def test_closing_the_town_hall_closes_the_poll_and_forgets_the_votes(two: Meeting) -> None:
    await two.open()
    everybody = await people(two, 7)
    poll = await opened(two)
    for number, tabs in enumerate(everybody):
        await vote_until_taken(two, tabs[0], poll, number % 3, number)
    await two.do(ORGANISER, c.CloseHall(client_id="close-the-hall"))
    runtime = await two.runtime(two.nodes[1])
    await until(lambda: runtime.hall.phase == "closed")
    assert (runtime.hall.polls[poll].voters, runtime.hall.polls[poll].counts) == (7, (3, 2, 2))
    assert runtime.poll_key is None
    await until(lambda: nothing_left(two, poll))
    await until(lambda: two.node.gateway.directory.untied(CODE))
    assert not await two.node.store.of(CODE).exists(Keys(CODE).secrets)
    assert (await vote(two, everybody[0][0], poll, 0))["error"]["code"] == "poll_closed"


# --- what is left ---
def test_a_ballot_says_nothing_without_its_key_and_nothing_of_another_poll() -> None:
    first, second = ballot(b"1" * 32, b"voter"), ballot(b"2" * 32, b"voter")
    assert first != second and len(first) == 16
    assert ballot(b"1" * 32, b"voter") == first != ballot(b"1" * 32, b"other")
