"""The README's pictures, from the running product: `make screenshots` = `python -m tools.screenshots [FOLDER]`.

A server of its own on a temporary folder, a short scene of staff texts from the rehearsal's corpus, and a real Chromium.
Who is called what, and the times, differ from run to run; the scene and the sizes do not.
"""

import asyncio
import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp

from loadtests.client import Client, staff_ticket
from loadtests.corpus import load
from loadtests.entry import enter
from server.demo.setup import CODE, setup

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "images"
BYTES_MAX = 200_000
"""Of one picture."""
START_S = 20.0
LOOK_S = 0.02
PEOPLE = 24
CHAT = 44
"""Plain messages between the questions."""
LONG = 160
"""Characters from which a text is shown as a long one."""

ON_AIR = "부모님 간병 휴가를 시간 단위로 쓸 수 있게 해 주실 수 있나요?"
SAME = "연가 저축 기간이 끝나면 소멸되는 날수는 어떻게 되나요?"
ANSWERED = "통근버스 첫차 시간을 20분 앞당길 수 있나요?"
DEFERRED = "당직비가 10년째 같은데 올릴 수 있습니까?"
DECLINED = "휴직 복귀자 보직은 어떤 기준으로 정해지나요?"
NEXT = "호우 비상근무 다음 날 대체휴무를 꼭 쓸 수 있게 해 주시나요?"
RETURNED = "내년 본예산에서 경상경비 삭감 폭이 어느 정도인지 알고 싶습니다."
ASKED = (
    "온나라 시스템이 오전마다 느린데 원인을 아시나요?",
    "구내식당 식단을 2주 전에 미리 알 수 있을까요?",
    "직원 휴양소 예약이 늘 마감인데 더 늘릴 수 있을까요?",
    "유연근무 시차를 10시 30분까지 늘릴 수 있습니까?",
)
WRITTEN = "내년도 예산안에 당직비 인상분을 반영하였습니다. 도의회 의결을 거쳐 1월부터 시행할 예정입니다."
HOST = "host-1"
MINE = "별관 냉난방 공사는 언제 끝나나요?"


class Scene:
    """Who acts: `people`, the `host`, and directors as they are needed."""

    def __init__(self, session: aiohttp.ClientSession, lines: Sequence[str]) -> None:
        self._session = session
        self._lines = lines
        self.url = self._link("audience: ").partition("/t/")[0]
        self._staff: dict[str, Client] = {}
        self._people: list[Client] = []
        self._turn = 0
        self._crowd: list[Client] = []

    async def come(self) -> None:
        """Everybody comes in."""
        for _ in range(PEOPLE):
            person = Client(self._session, self.url, CODE, "audience", await enter(self._session, self.url, CODE))
            await person.connect()
            self._people.append(person)

    async def leave(self) -> None:
        """Everybody goes."""
        for client in (*self._people, *self._staff.values()):
            await client.close()

    async def post(self, text: str, *, asked: bool = False) -> int:
        """The next person writes. The message's number."""
        self._turn += 1
        person = self._people[self._turn * 7 % PEOPLE]
        ack = await person.call("message:post", {"client_id": uuid4().hex, "text": text, "asked": asked})
        return int(self._done("message:post", ack)["seq"])

    async def support(self, message: int, count: int) -> None:
        """The first `count` people support a question."""
        for person in self._people[:count]:
            # Acknowledged is not yet shown: nobody supports what has not reached them.
            async with asyncio.timeout(START_S):
                while person.position is None or person.position[1] < message:
                    await asyncio.sleep(LOOK_S)
            self._done("question:support", await person.call("question:support", {"message": message, "on": True}))

    async def act(self, who: str, name: str, message: int, **more: Any) -> None:
        """`who`: the id of a director, or HOST."""
        if who not in self._staff:
            role = "host" if who == HOST else "director"
            link = self._link(f"{role}: ", "" if who == HOST else f"({_name(who)},")
            self._staff[who] = Client(self._session, self.url, CODE, role, await staff_ticket(self._session, link))
            await self._staff[who].connect()
        payload = {"client_id": uuid4().hex, "message": message, **more}
        self._done(name, await self._staff[who].call(name, payload))

    def _link(self, begins: str, holds: str = "") -> str:
        """The address in the line that begins and holds so."""
        return next(line.split(" ", 2)[1] for line in self._lines if line.startswith(begins) and holds in line)

    @staticmethod
    def _done(name: str, ack: Any) -> Any:
        if not ack["ok"]:
            raise RuntimeError(f"{name}: {ack['error']}")
        return ack


def _name(director: str) -> str:
    return next(one.name for one in setup().directors if one.id == director)


async def play(scene: Scene) -> None:
    """Half an hour of a town hall in a few seconds: every fate once, one question on air, two in the queue, two held."""
    await scene.come()
    staff = [
        message for message in load() if message.text.isprintable() and not any(ord(letter) > 0xFFFF for letter in message.text)
    ]
    chat = [message.text for message in staff if message.kind != "question" and len(message.text) < LONG][::3][:CHAT]
    long = next(message.text for message in staff if message.kind == "question" and len(message.text) >= LONG)
    host, governance = HOST, "governance-1"
    more = iter(chat)

    async def talk(count: int) -> None:
        for _ in range(count):
            await scene.post(next(more))

    await talk(6)
    answered = await scene.post(ANSWERED, asked=True)
    await scene.support(answered, 19)
    await scene.act(host, "question:route", answered, director=governance)
    await scene.act(governance, "question:accept", answered)
    await scene.act(host, "question:air", answered)
    await scene.act(governance, "answer:start", answered)
    await talk(4)
    await scene.act(host, "question:finish", answered)

    deferred = await scene.post(DEFERRED, asked=True)
    await scene.support(deferred, 15)
    await scene.act(host, "question:route", deferred, director=governance)
    due = (date.fromtimestamp(time.time()) + timedelta(days=14)).isoformat()
    await scene.act(governance, "question:defer", deferred, due=due)
    declined = await scene.post(DECLINED, asked=True)
    await scene.act(
        host, "question:decline", declined, reason="individual_case", note="인사 상담 창구에서 개별로 안내해 드립니다."
    )
    await talk(6)

    on_air = await scene.post(ON_AIR, asked=True)
    await scene.support(on_air, 22)
    same = await scene.post(SAME, asked=True)
    await scene.act(host, "question:merge", same, into=on_air)
    following = await scene.post(NEXT, asked=True)
    await scene.support(following, 17)
    await scene.act(host, "question:route", following, director="disaster-1")
    await scene.act("disaster-1", "question:accept", following)
    last = await scene.post(long, asked=True)
    await scene.support(last, 12)
    await scene.act(host, "question:route", last, director=governance)
    returned = await scene.post(RETURNED, asked=True)
    await scene.support(returned, 9)
    await scene.act(host, "question:route", returned, director="economy-1")
    await scene.act("economy-1", "question:return", returned, reason="기획조정실 소관입니다.")
    await talk(8)

    removed = await scene.post(next(more))
    await scene.act(host, "message:remove", removed, reason="named_person")
    held = await scene.post(next(more))
    await scene.act(host, "message:hold", held)
    for place, text in enumerate(ASKED):
        question = await scene.post(text, asked=True)
        await scene.support(question, 8 - 2 * place)
        await talk(3)
    await scene.act(host, "question:answer", deferred, text=WRITTEN)
    await scene.act(host, "question:route", on_air, director=governance)
    await scene.act(governance, "question:accept", on_air)
    await scene.act(host, "question:air", on_air)
    await scene.act(governance, "answer:start", on_air)
    await talk(4)


@contextlib.asynccontextmanager
async def server(data: str) -> AsyncIterator[list[str]]:
    """The demo's printed lines, while it runs."""
    words = (sys.executable, "-m", "server", "demo", "--quiet", "--host", "127.0.0.1", "--port", "0", "--data", data)
    process = await asyncio.create_subprocess_exec(*words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert process.stdout is not None
        lines: list[str] = []
        async with asyncio.timeout(START_S):
            while not any(line.startswith("organiser: ") for line in lines):
                line = await process.stdout.readline()
                if not line:
                    raise RuntimeError("the server did not start")
                lines.append(line.decode().strip())
        yield lines
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def run(folder: Path) -> int:
    """Exit code: 1 if a picture is too large."""
    with tempfile.TemporaryDirectory(prefix="townhall-") as temporary:
        async with server(f"{temporary}/data") as lines, aiohttp.ClientSession() as session:
            addresses = Path(temporary) / "addresses"
            addresses.write_text("\n".join(lines))
            scene = Scene(session, lines)
            try:
                await play(scene)
                words = ("node", str(ROOT / "tests/browser/pictures.mjs"), str(addresses), str(folder), MINE)
                node = await asyncio.create_subprocess_exec(*words, cwd=ROOT)
                if await node.wait() != 0:
                    return 1
            finally:
                await scene.leave()
    too_large = [path.name for path in folder.glob("*.webp") if path.stat().st_size > BYTES_MAX]
    if too_large:
        print(f"larger than {BYTES_MAX} bytes: {', '.join(too_large)}", file=sys.stderr)
    return 1 if too_large else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(run(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)))
