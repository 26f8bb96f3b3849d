"""docs/protocol.md is true: its clients run as they are printed, and what it names exists."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from protocol.commands import COMMANDS, QUERIES
from protocol.frames import FRAMES
from protocol.limits import LIMITS
from protocol.refusals import REFUSALS
from tests.node.skips import beat, skipped, viewers
from tests.node.world import CODE, World
from tests.waiting import until

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/protocol.md").read_text("utf-8")


def printed(language: str) -> str:
    """The code block of a language."""
    found = re.findall(rf"^```{language}\n(.+?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert len(found) == 1
    return str(found[0])


@asynccontextmanager
async def client(language: str, folder: Path, *arguments: str) -> AsyncIterator[list[str]]:
    """The printed client as a program; what it prints."""
    if language == "python":
        file, words = folder / "client.py", [sys.executable, "-X", "utf8"]
    else:
        # What `npm install socket.io-client` would bring.
        (folder / "node_modules").symlink_to(ROOT / "static/node_modules")
        file, words = folder / "client.mjs", ["node"]
    file.write_text(printed(language), "utf-8")
    process = await asyncio.create_subprocess_exec(
        *words, str(file), *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=folder
    )
    said: list[str] = []

    async def listen() -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            said.append(line.decode().rstrip())

    listening = asyncio.create_task(listen())
    try:
        yield said
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await listening


@pytest.mark.parametrize("language", ["python", "javascript"])
async def test_the_clients_work_as_printed(language: str, world: World, tmp_path: Path) -> None:
    other = await world.person()
    first = (await other.command("message:post", text="먼저 와 있던 글"))["seq"]
    async with client(language, tmp_path, world.node.url, CODE, "안녕하세요, 인쇄된 그대로입니다") as said:
        await until(lambda: any("안녕하세요" in line for line in said), 40)
        own = next(line for line in said if "안녕하세요" in line).split()[0]
        await until(lambda: any("ok" in line and own in line for line in said))
        assert f"{first} 먼저 와 있던 글" in said
        later = (await other.command("message:post", text="나중 글"))["seq"]
        await until(lambda: f"{later} 나중 글" in said)
        await world.close()
        world.runtime.bye(3001)
        await until(lambda: any("서버를 다시 시작" in line for line in said))
        await until(lambda: world.runtime.room("audience").viewers == 1, 30)
        last = (await (await world.person()).command("message:post", text="다시 온 뒤의 글"))["seq"]
        await until(lambda: f"{last} 다시 온 뒤의 글" in said)
        # It resumed: what it had is not sent again.
        assert len([line for line in said if "먼저 와 있던 글" in line]) == 1


@pytest.mark.parametrize("language", ["python", "javascript"])
async def test_the_clients_find_out_that_the_last_frame_never_came(language: str, world: World, tmp_path: Path) -> None:
    other = await world.person()
    async with client(language, tmp_path, world.node.url, CODE, "왔습니다") as said:
        await until(lambda: any("왔습니다" in line for line in said), 40)
        with skipped(viewers(world)):
            lost = (await other.command("message:post", text="도중에 사라진 글"))["seq"]
            await until(lambda: all(viewer.seq == lost for viewer in viewers(world)))
        beat(world)
        await until(lambda: f"{lost} 도중에 사라진 글" in said)
        last = (await other.command("message:post", text="그다음 글"))["seq"]
        await until(lambda: f"{last} 그다음 글" in said)
        assert len([line for line in said if "도중에 사라진 글" in line]) == 1


def test_they_are_short() -> None:
    for language in ("python", "javascript"):
        lines = [line for line in printed(language).splitlines() if line.strip()]
        assert len(lines) <= 26


def test_every_name_on_the_page_exists() -> None:
    names = set(re.findall(r"`([a-z_]+:[a-z_]+)", PAGE))
    assert names <= {*COMMANDS, *QUERIES, *FRAMES}, names - {*COMMANDS, *QUERIES, *FRAMES}
    for code in ("too_fast", "slow_mode", "chat_paused", "client_id_reused", "unknown_outcome"):
        assert f"`{code}`" in PAGE
        assert code in REFUSALS
    assert "audience_window" in LIMITS


def test_every_figure_on_the_page_is_the_codes() -> None:
    told = {
        "text_graphemes": "300 grapheme clusters",
        "messages_per_10_s": "5 messages of one participant in 10 s",
        "ring_entries": "2,000 fragments",
        "ring_s": "120 s)",
        "join_wait_s": "within 5 s",
        "bad_requests_per_10_s": "20 refused forms in 10 s",
    }
    for name, words in told.items():
        assert words in PAGE, words
        assert f"{LIMITS[name].value:,}" in words
    assert LIMITS["client_id_s"].value == 600
    assert "For ten minutes the same id" in PAGE


def test_every_link_on_the_page_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)]+)\)", PAGE):
        path, _, heading = target.partition("#")
        file = ROOT / "docs" / path
        assert file.exists(), target
        if heading:
            heads = [head.lower().replace(" ", "-") for head in re.findall(r"^#+ (.+)$", file.read_text("utf-8"), re.MULTILINE)]
            assert heading in heads, target
