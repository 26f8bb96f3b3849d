"""Issuing ends by itself: some hours after the planned end, and soon after its town hall was closed."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import aiohttp
import pytest

from protocol.limits import limit
from protocol.refusals import Refusal
from server.commands import closing as closing_module
from server.commands.closing import TRIES, Closing
from server.issuer.command_line import end_of
from server.issuer.eligibility import Issuance
from server.issuer.issuances import DAY_S, Issuances
from server.settings import Settings
from tests.issuer.serving import CHAT, Served, issuing
from tests.server.command import ran, started
from tests.waiting import until

AFTER = limit("issuing_after_end_s")
CSV = "부서명,담당자\n기획조정실,한도윤\n"


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with issuing(tmp_path / "data") as found:
        yield found


async def asked(served: Served, code: str, **times: object) -> tuple[int, dict[str, int], str]:
    """(status, what was made, refusal)."""
    body = {"title": "x", "chat_url": CHAT, "kinds": ["open"], "code": code, **times}
    status, ack = await served.ask("POST", "/api/v1/issuances", served.issuer.organiser_key, json=body)
    return status, ack.get("data") or {}, (ack.get("error") or {}).get("code", "")


async def test_an_issuance_has_an_end_hours_after_that_of_its_town_hall(served: Served) -> None:
    now = int(time.time())
    _, made, _ = await asked(served, "PLANNED", ends_at=now + 7_200)
    assert (made["ends_at"], made["closes_at"]) == (now + 7_200, now + 7_200 + AFTER)
    _, made, _ = await asked(served, "UNSAID")
    assert abs(made["closes_at"] - now - DAY_S - AFTER) < 60
    _, made, _ = await asked(served, "INDAYS", days=3)
    assert abs(made["closes_at"] - now - 3 * DAY_S - AFTER) < 60
    _, ack = await served.ask("GET", "/api/v1/issuances/PLANNED")
    assert ack["data"]["closes_at"] == now + 7_200 + AFTER


@pytest.mark.parametrize("ahead", [-3_600, 0, 367 * DAY_S])
async def test_an_end_that_is_none_is_refused(served: Served, ahead: int) -> None:
    status, _, why = await asked(served, "WRONG1", ends_at=int(time.time()) + ahead)
    assert (status, why) == (422, "bad_end")
    assert (await asked(served, "WRONG1", days=367))[2] == "bad_request"


async def test_a_town_hall_that_is_put_off_takes_its_issuing_with_it(tmp_path: Path) -> None:
    now = [1_000_000.0]
    issuances = Issuances(tmp_path, lambda: now[0])
    made = await issuances.create("x", "ko", CHAT, ("open",), "PUTOFF", ends_at=1_003_600)
    assert isinstance(made, Issuance)
    moved = await issuances.put_off(made, 1_090_000)
    assert isinstance(moved, Issuance) and moved.closes_at == 1_090_000 + AFTER and await issuances.get("PUTOFF") == moved
    now[0] = moved.closes_at
    refused = await issuances.put_off(moved, 999)
    assert isinstance(refused, Refusal) and refused.code == "bad_end"
    closed = await issuances.close_issuing(moved)
    refused = await issuances.put_off(closed, int(now[0]) + 60)
    assert isinstance(refused, Refusal) and refused.code == "issuing_closed"
    await issuances.stop()


def test_the_command_line_reads_times_of_the_office() -> None:
    seoul, settings = ZoneInfo("Asia/Seoul"), Settings()
    assert end_of("2026-11-30T18:00", settings) == int(datetime(2026, 11, 30, 18, tzinfo=seoul).timestamp())
    assert end_of("2026-11-30T18:00Z", settings) == end_of("2026-12-01T03:00", settings)
    for bad in ("2026-11-30", "tomorrow", "18:00", ""):
        with pytest.raises(ValueError):
            end_of(bad, settings)


async def test_until_when_is_told_by_the_command_line(tmp_path: Path) -> None:
    in_hours = datetime.fromtimestamp(time.time() + 7_200, ZoneInfo("Asia/Seoul"))
    arguments = ("issuance", "NOV24", "--title", "x", "--who", "invitation", "--ends", in_hours.strftime("%Y-%m-%dT%H:%M"))
    code, out, _ = await ran(*arguments, folder=tmp_path)
    told = re.search(r"given out until (\d{4}-\d\d-\d\d \d\d:\d\d)", out)
    assert code == 0 and told is not None
    shown = datetime.strptime(told[1], "%Y-%m-%d %H:%M").replace(tzinfo=in_hours.tzinfo)
    assert (shown - in_hours.replace(second=0, microsecond=0)).total_seconds() == AFTER
    for wrong, why in (("2026-11-30", "date and a time"), ("2001-01-01T10:00", "in the future")):
        code, _, said = await ran("issuance", "OTHER1", "--title", "x", "--who", "open", "--ends", wrong, folder=tmp_path)
        assert code == 1 and why in said


# --- closing the town hall closes its issuing ---
@pytest.mark.parametrize("workers", ["1", "2"])
async def test_closing_a_town_hall_ends_its_issuing_soon_after(tmp_path: Path, workers: str) -> None:
    (tmp_path / "directors.csv").write_text(CSV)
    async with started("serve", "--port", "0", "--workers", workers, folder=tmp_path) as server:
        url = await server.says("listening on ")
        for code in ("NOV24", "GOESON"):
            arguments = ("--title", "x", "--directors", "directors.csv", "--code", code, "--who", "open", "--minimum", "1")
            _, out, _ = await ran("create", *arguments, "--open", folder=tmp_path)
            if code == "NOV24":
                secret = re.search(r"host: \S+#(\S+)", out)
        assert secret is not None
        keys = tmp_path / "data" / "issuer" / "keys"
        assert (keys / "NOV24.key").exists()
        async with aiohttp.ClientSession() as session:
            async with session.post(
                f"{url}/api/v1/halls/NOV24/host/ticket", headers={"Authorization": f"Bearer {secret[1]}"}
            ) as response:
                ticket = (await response.json())["data"]["ticket"]
            async with session.post(
                f"{url}/api/v1/halls/NOV24/host/commands",
                json={"command": "hall:close", "payload": {"client_id": "close-it-now-1"}},
                headers={"Authorization": f"Bearer {ticket}"},
            ) as response:
                assert (await response.json())["ok"], await response.text()

            async def closed() -> bool:
                _, out, _ = await ran("issuance", "NOV24", folder=tmp_path)
                return "issuing has ended" in out

            await until(closed, 60)
        assert not (keys / "NOV24.key").exists() and (keys / "GOESON.key").exists()


async def test_the_command_is_tried_a_few_times_and_for_our_own_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []
    halls: list[tuple[str, str]] = [("OURS", "http://a"), ("THEIRS", "http://b"), ("BROKEN", "http://a")]

    async def closed() -> Sequence[tuple[str, str]]:
        return halls

    async def close(self: Closing, code: str) -> bool:
        tried.append(code)
        return code == "OURS"

    monkeypatch.setattr(Closing, "_close", close)
    found = Closing(closed, lambda: "http://a", ())
    for _ in range(10):
        await found.look()
    assert tried.count("OURS") == 1 and tried.count("BROKEN") == TRIES and "THEIRS" not in tried
    monkeypatch.setattr(closing_module, "KEPT", 5)
    halls = [(f"HALL{n}", "http://a") for n in range(20)]
    await found.look()
    assert len(found._left) == 5


async def test_a_command_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closing_module, "ENDS_S", 0.2)
    real = asyncio.create_subprocess_exec

    async def sleeps(program: str, *given: str, **more: object) -> asyncio.subprocess.Process:
        return await real("/bin/sleep", "30", **more)  # type: ignore[arg-type]  # passed on

    monkeypatch.setattr(asyncio, "create_subprocess_exec", sleeps)

    async def closed() -> Sequence[tuple[str, str]]:
        return [("OURS", "http://a")]

    began = time.monotonic()
    await Closing(closed, lambda: "http://a", ()).look()
    assert time.monotonic() - began < 5
