"""What the store still holds, in its files and in its memory, of a poll and of a town hall that are closed."""

from collections import Counter
from pathlib import Path
from uuid import uuid4

from protocol import commands as c
from server.store.keys import Keys
from tests.anonymity.meeting import CODE, Meeting
from tests.anonymity.test_canary import files, memory
from tests.anonymity.test_polls import opened, people, vote_until_taken
from tests.town import HOST, ORGANISER
from tests.waiting import until


class Kept:
    """What is looked for in the store's folder and in its process."""

    def __init__(self, folder: Path, pid: int) -> None:
        self._folder = folder
        self._pid = pid
        self._wanted: list[tuple[str, bytes]] = []

    def add(self, what: str, *values: bytes) -> None:
        assert all(len(value) >= 16 for value in values)
        self._wanted += [(what, value) for value in values]

    def in_files(self) -> Counter[str]:
        """How many of each are there."""
        return self._in(files(self._folder))

    def in_memory(self) -> Counter[str]:
        return self._in(memory(self._pid))

    def _in(self, content: bytes) -> Counter[str]:
        return Counter(what for what, value in self._wanted if value in content)


async def test_neither_file_nor_memory_of_the_store_keeps_votes_or_their_key(two: Meeting) -> None:
    await two.open()
    everybody = await people(two, 20)
    poll = await opened(two)
    for number, tabs in enumerate(everybody):
        await vote_until_taken(two, tabs[0], poll, number % 3, number)
    redis, valkey = two.node.store.of(CODE), two.node.valkey
    assert valkey is not None
    kept = Kept(Path(two.node.settings.data_dir) / "valkey", valkey.pid)
    kept.add("ballot", *(one[:16] for one in await redis.zrange(Keys(CODE).votes(poll), 0, -1)))
    kept.add("key", await redis.hget(Keys(CODE).secrets, f"poll:{poll}"))
    assert kept.in_files() == kept.in_memory() == {"ballot": 20, "key": 1}, "the search finds what is there"
    await two.do(HOST, c.ClosePoll(client_id=uuid4().hex, poll=poll))
    await until(lambda: not kept.in_files() and not kept.in_memory(), 60)
    for node in two.nodes:
        assert (await two.runtime(node)).poll_key is None


async def test_after_closing_the_store_has_nothing_of_anybody_in_files_or_memory(two: Meeting) -> None:
    await two.open()
    everybody = await people(two, 12)
    poll = await opened(two)
    asked = [(await two.send(tabs[0], "message:post", text="예산은 얼마입니까?", asked=True))["seq"] for tabs in everybody[:2]]
    runtime = await two.runtime()
    await until(lambda: asked[-1] in runtime.hall.messages)
    for number, tabs in enumerate(everybody):
        await vote_until_taken(two, tabs[0], poll, number % 3)
        for message in asked:
            assert (await two.send(tabs[0], "question:support", message=message, on=True))["ok"]
    redis, keys, valkey = two.node.store.of(CODE), Keys(CODE), two.node.valkey
    assert valkey is not None
    kept = Kept(Path(two.node.settings.data_dir) / "valkey", valkey.pid)
    found = await redis.hgetall(keys.secrets)
    assert {name.split(b":")[0] for name in found} == {b"author", b"poll", b"support"}
    kept.add("secret", *found.values())
    tokens = await redis.zrange(keys.tokens, 0, -1)
    kept.add("token", *(one[:32] for one in tokens))
    kept.add("device", *(one[32:] for one in tokens))
    kept.add("ballot", *(one[:16] for one in await redis.zrange(keys.votes(poll), 0, -1)))
    for message in asked:
        kept.add("handle", *await redis.zrange(keys.support(message), 0, -1))
    assert kept.in_memory() == kept.in_files() == {"secret": 3, "token": 12, "device": 12, "ballot": 12, "handle": 24}
    await two.do(ORGANISER, c.CloseHall(client_id="close-the-hall"))
    await until(lambda: not kept.in_files() and not kept.in_memory(), 60)
