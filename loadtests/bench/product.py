"""The product: `townhall serve` with its log, rules, filters and views on; posters come in through admission, as people do."""

import contextlib
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import aiohttp

from loadtests.audience.lines import Report
from loadtests.audience.words import Words
from loadtests.bench.contestant import Audience
from loadtests.bench.pinned import Pinned
from loadtests.bench.usage import SERVER_CORE, Usage
from loadtests.checker import Verdict, judge
from loadtests.marks import run_name
from loadtests.posters import Posted, Posters
from loadtests.tickets import tickets

CODE = "BENCH1"
LENGTH = 95
"""Letters of a message: in a frame it makes about as many bytes as the peers' message does."""
DIRECTORS = "부서명,담당자\n기획조정실,한도윤\n건설교통국,편수호\n"


class Product:
    """A node with one open town hall. `posters` as many as were asked for; `run`: of the marks in their messages."""

    name = "product"

    def __init__(self, server: Pinned, url: str, folder: Path, run: str, posters: Posters, count: int) -> None:
        self.url = url
        self.folder = folder
        self.server = server
        self.posters = posters
        self.run = run
        self._tickets = folder / "tickets"
        self._count = count

    def usage(self) -> Usage:
        """Of the node, its workers and its store."""
        return self.server.usage()

    @property
    def posted(self) -> Posted:
        """What became of all messages so far."""
        return self.posters.posted

    async def tickets(self, viewers: int) -> None:
        """Fetch one for each viewer, so that joining is not also fetching. Raises NotAdmitted."""
        got = await tickets(self.url, CODE, viewers, least=viewers, lang="en")
        self._tickets.write_text("\n".join(got) + "\n", "ascii")

    def words(self, viewers: int, rate: float, *, stall: int = 0, deflate: bool = False) -> Words:
        """What an audience needs to be told; `tickets` must have been fetched."""
        return Words(
            host="127.0.0.1",
            port=int(self.url.rpartition(":")[2]),
            viewers=viewers,
            rate=rate,
            stall=stall,
            deflate=int(deflate),
            code=CODE,
            run=self.run,
            tickets=str(self._tickets),
        )

    async def publish(self, rate: float, seconds: float, burst: int = 1) -> int:
        """As Contestant.publish, through the posters. Only what was acknowledged counts."""
        before = len(self.posted.acknowledged)
        await self.posters.write(rate, seconds, burst)
        return len(self.posted.acknowledged) - before

    async def judged(self, audience: Audience) -> tuple[bool, Report]:
        """Whether every viewer that reads saw every message exactly once and in order; and its report."""
        await audience.child.tell("report")
        report = await audience.child.until(Report)
        verdict = judge(report.rows, self.posted.acknowledged)
        readers = audience.viewers - audience.stall
        whole = verdict == Verdict(whole=readers) and report.holes == report.doubles == report.disorders == 0
        return whole and len(self.posted.acknowledged) == self.posted.due, report


@contextlib.asynccontextmanager
async def product(
    *,
    posters: int = 20,
    length: int = LENGTH,
    cores: str = str(SERVER_CORE),
    settings: Mapping[str, str] | None = None,
    share: "Product | None" = None,
) -> AsyncIterator[Product]:
    """`settings`: TOWNHALL_… without the prefix, in lower case. `share`: another node on the same store, whose town hall it
    serves too. Raises ServerFailed, NotAdmitted, OSError."""
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="townhall-bench-")))
        data, errors = folder / "data", folder / "errors"
        environ = {f"TOWNHALL_{name.upper()}": value for name, value in (settings or {}).items()}
        environ |= {"LANG": "C.UTF-8", "TOWNHALL_DRAIN_S": "0", "TOWNHALL_ISSUER": "none"}
        townhall = [sys.executable, "-m", "server"]
        if share is None:
            (folder / "directors.csv").write_text(DIRECTORS, "utf-8")
            create = ["create", "--data", str(data), "--title", "Bench", "--directors", str(folder / "directors.csv")]
            async with Pinned(
                [*townhall, *create, "--code", CODE, "--mode", "open", "--who", "link", "--open"], errors, environ
            ) as making:
                await making.hear("audience:")
                await making.process.wait()
        server = await stack.enter_async_context(
            Pinned([*townhall, "serve", "--port", "0", "--data", str(data)], errors, environ, cores)
        )
        url = await _address(server)
        run = run_name() if share is None else share.run
        own = await tickets(url, CODE, posters, least=posters, lang="en") if posters else []
        writing = Posters(url, CODE, own, run, length)
        stack.callback(writing.leave)
        await writing.come()
        yield Product(server, url, folder, run, writing, posters)


async def _address(server: Pinned) -> str:
    said = await server.hear("listening on")
    found = re.search(r"http://\S+", said)
    assert found is not None, said
    return found[0]


async def gc_pauses(product: Product) -> dict[float, float]:
    """Pauses by garbage collection that the node's /metrics tells: how many took at most so many seconds."""
    token = (product.folder / "data" / "metrics-token").read_text("ascii").strip()
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(headers=headers) as session, session.get(f"{product.url}/metrics") as response:
        text = await response.text() if response.status == 200 else ""
    found = re.findall(r'^townhall_gc_pause_seconds_bucket\{[^}]*le="([^"]+)"[^}]*\} (\S+)', text, re.MULTILINE)
    return {float(bound): float(count) for bound, count in found}


def longest_ms(before: dict[float, float], after: dict[float, float]) -> float:
    """The bucket of the longest pause between two readings; 0: there was none."""
    count = {bound: after[bound] - before.get(bound, 0) for bound in after}
    total = max(count.values(), default=0)
    return min((bound for bound in count if count[bound] == total), default=0) * 1e3 if total else 0.0
