"""M5, L16: who shows something good is kept out by nobody, though all share one address; guesses are bounded."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from protocol.limits import LIMITS, Limit
from server.issuer.repeats import MINUTE_S, Repeats
from tests.issuer.serving import Served, blinded, issuing

MOST = 3
BOUNDS = (
    "signatures_per_address_per_min",
    "failed_proofs_per_address_per_min",
    "bad_secrets_per_address_per_min",
    "signatures_repeated_per_min",
)


@pytest.fixture
async def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Served]:
    for name in BOUNDS:
        monkeypatch.setitem(LIMITS, name, Limit(MOST, "requests", "-", "too_many_joins"))
    async with issuing(tmp_path / "data") as found:
        await found.issuance("open", "invitation")
        yield found


async def codes(served: Served) -> list[str]:
    answer = await served.invite("name\n" + "".join(f"p{number}\n" for number in range(20)))
    return [line.rsplit(",", 1)[1] for line in answer.raw.decode().splitlines()[1:]]


async def test_guesses_are_bounded_and_keep_nobody_out(served: Served) -> None:
    good = await codes(served)
    said = [(await served.sign("invitation", "AAAA-AAAA"))[1]["error"]["code"] for _ in range(MOST + 2)]
    assert said == ["not_eligible"] * MOST + ["too_many_joins"] * 2
    for code in good:
        assert (await served.sign("invitation", code))[0] == 200


async def test_an_open_code_has_a_bucket_of_its_own(served: Served) -> None:
    good = await codes(served)
    said = [(await served.sign("open", f"a-browser-of-the-open-code-{n}"))[0] for n in range(MOST + 1)]
    assert said == [200] * MOST + [429]
    assert [(await served.sign("invitation", code))[0] for code in good] == [200] * len(good)
    assert (await served.sign("invitation", "AAAA-AAAA"))[1]["error"]["code"] == "not_eligible"


async def test_what_no_key_signs_fills_nothing(served: Served) -> None:
    said = [(await served.sign("open", "a-browser-of-the-open-code", "AAAA"))[1]["error"]["code"] for _ in range(3 * MOST)]
    assert set(said) == {"bad_blinded"}
    assert [(await served.sign("open", f"a-browser-of-the-open-code-{n}"))[0] for n in range(MOST)] == [200] * MOST


async def test_guesses_at_the_organisers_key_are_bounded_and_keep_the_organiser_in(served: Served) -> None:
    said = [(await served.ask("GET", "/api/v1/issuances", f"{n:064x}"))[1]["error"]["code"] for n in range(MOST + 2)]
    assert said == ["not_admitted"] * MOST + ["too_many_joins"] * 2
    assert (await served.ask("GET", "/api/v1/issuances", served.issuer.organiser_key))[0] == 200


async def test_one_person_who_asks_again_and_again_is_slowed(served: Served) -> None:
    good = await codes(served)
    value = blinded()
    said = [(await served.sign("invitation", good[0], value))[0] for _ in range(MOST + 3)]
    assert said == [200] * (MOST + 1) + [429] * 2
    assert (await served.sign("invitation", good[1]))[0] == 200


def test_the_count_is_of_one_minute() -> None:
    repeats = Repeats(2)
    assert [repeats.take(b"x", 10.0) for _ in range(3)] == [0, 0, MINUTE_S]
    assert repeats.take(b"x", 10.0 + MINUTE_S) == 0
