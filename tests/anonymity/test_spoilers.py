"""Somebody pretends to be several late-comers, so that a round is smaller than it looks: for nothing, or with own entries."""

import random
import secrets
from pathlib import Path

import pytest

from loadtests.blinding import WaitingToken, Wallet
from loadtests.entry import waits
from protocol.credentials import WAITING_TOKENS
from tests.anonymity.meeting import CODE
from tests.anonymity.test_adversary import OPENING, PER_ADDRESS, Late, Virtual, in_batches, invited, turned

EARLY, LATE = 30, 15
EVERY_S = 100
OTHERS = 4
"""Who pretend: with one who waits they are five."""


class Spoiled(Late):
    """Beside those who come late somebody says again and again that they wait. `entries`: of their own, which are not shown."""

    entries: list[Wallet]
    said: int = 0

    async def waiting(self) -> None:
        """As a page does, of all that hold an entry; and of those who pretend."""
        await super().waiting()
        for wallet in self.entries:
            while wallet.waiting:
                ack = await self.hall.send("", "round:await", by=self.sessions[-1], **waits(wallet.waiting[0]))
                if not ack["ok"] or not ack["data"]["spent"]:
                    break
                wallet.waiting.pop(0)
        if self.entries:
            return
        spki = self.hall.wallet().waiting_spki
        forged = [WaitingToken(CODE, spki, secrets.token_bytes(32), secrets.token_bytes(384)) for _ in range(OTHERS)]
        taken = [wallet.waiting[0] for _, wallet in self.holding.values() if wallet.waiting][:1] * OTHERS
        for number in range(OTHERS):
            for token in (None, forged[number], *taken[number : number + 1]):
                few = number % 2 > 0 and token not in taken
                ack = await self.hall.send("", "round:await", by=self.sessions[-1], **waits(token, few=few))
                # One that somebody else's page says, too, counts once: whoever says it.
                assert not ack["ok"] or not ack["data"]["counted"] or token in taken
                self.said += ack["ok"]


async def late(folder: Path, colluders: int) -> tuple[Spoiled, list[list[str]]]:
    """LATE people who come one by one; how many of them were in each round."""
    clock, chance = Virtual(OPENING - 1_000), random.Random(31)
    async with turned(folder, clock, 2 * PER_ADDRESS) as (hall, sessions):
        early = [(OPENING - chance.uniform(60, 900), f"early-{n}") for n in range(EARLY)]
        plan = [(OPENING + 130 + EVERY_S * n + chance.uniform(0, 60), f"late-{EARLY + n}") for n in range(LATE)]
        run = Spoiled(hall, clock, await invited(hall, [person for _, person in early + plan]), sessions)
        run.entries = [await hall.signed(b"colluder %d" % number) for number in range(colluders)]
        run.plan = sorted(early + plan)
        await run.turn(OPENING, 300)
        clock.now = OPENING
        await hall.open()
        await run.turn(OPENING + EVERY_S * LATE + 600, 5)
        return run, in_batches(run.hoard, run.truth)


async def test_whoever_makes_up_waiters_puts_nobody_alone_in_a_round(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, batches = await late(tmp_path, 0)
    with capsys.disabled():
        print(f"\n  {run.said} made-up waiters; late-comers showed their tokens together as {[len(batch) for batch in batches]}")
    assert run.said > 100
    assert len(batches) >= 2 and min(len(batch) for batch in batches) >= 5 and not run.hoard.few


async def test_colluders_spoil_as_many_rounds_as_they_have_waiting_tokens(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, batches = await late(tmp_path, OTHERS)
    spoiled = [len(batch) for batch in batches if len(batch) < 5]
    with capsys.disabled():
        print(
            f"\n  {OTHERS} colluders with entries: rounds of {[len(batch) for batch in batches]}, {len(spoiled)} of them spoiled"
        )
    assert len(spoiled) == WAITING_TOKENS, "each entry makes a round smaller as often as it has waiting tokens, and no more"
    assert any(len(batch) >= 5 for batch in batches)
