"""A run: tickets, posters, audience, phases, and at the end the comparison of what was acknowledged with what was seen."""

import asyncio
import contextlib
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from loadtests.audience.lines import Joined, Report, Tick
from loadtests.audience.words import Words
from loadtests.checker import Verdict, judge
from loadtests.child import Child
from loadtests.marks import run_name
from loadtests.outcome import Outcome, Sample
from loadtests.posters import TRIES, Held, Posters
from loadtests.scenario import Scenario
from loadtests.server_figures import EVERY_S, GONE_S, Reading, ServerFigures, read
from loadtests.tickets import tickets
from protocol.names import Language

AT_ONCE = 1e6
"""Connections in a second where all are to come at the same instant."""
SETTLE_S = 20.0
"""How long the last messages may be on their way before they count as lost."""
TICK_S = 0.25
"""How often an audience tells."""
JOIN_S = 120.0
"""How long the last viewer may take, beyond the time that joining is spread over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`native`: the compiled C audience, None: Python's. `processes`: the audience's; `before`: words before its command.
    `metrics`: the token of the server's `/metrics`, "": it is not asked.
    """

    url: str
    code: str
    scenario: Scenario
    native: Path | None = None
    processes: int = 1
    deflate: bool = False
    metrics: str = ""
    before: Sequence[str] = ()
    lang: Language = "en"


@dataclass(frozen=True, slots=True)
class Progress:
    """`step`: a key of the catalogue's section `loadtest`, under `step`."""

    step: str
    done: float
    of: float
    live: int = 0
    messages: int = 0


class Run:
    """One run of `plan`; `told` hears how far it is, a few times a second."""

    def __init__(self, plan: Plan, told: Callable[[Progress], None] = lambda progress: None) -> None:
        self._plan = plan
        self._told = told
        self._began = 0.0
        self._live: dict[int, int] = {}
        self._joined: set[int] = set()
        self._all_joined = asyncio.Event()
        self._cut = False
        self._reports: asyncio.Queue[Report] = asyncio.Queue(maxsize=64)
        self.outcome = Outcome(plan.scenario, "C" if plan.native else "Python")

    async def run(self) -> Outcome:
        """Raises NotAdmitted, AudienceFailed, ConnectionError, OSError, TimeoutError."""
        async with contextlib.AsyncExitStack() as stack:
            if self._plan.metrics:
                session = await stack.enter_async_context(aiohttp.ClientSession())
                self._began = time.monotonic()
                self.outcome.server = ServerFigures(await self._reading(session))
                watching = asyncio.create_task(self._watch(session, self.outcome.server), name="watch")
                stack.push_async_callback(self._look_back, session, self.outcome.server)
                stack.push_async_callback(_ended, watching)
            return await self._run()

    async def _run(self) -> Outcome:
        plan, scenario, outcome = self._plan, self._plan.scenario, self.outcome
        wanted = scenario.viewers + scenario.posters
        got = await tickets(
            plan.url,
            plan.code,
            wanted,
            least=scenario.posters + 1,
            lang=plan.lang,
            told=lambda got: self._told(Progress("tickets", got, wanted)),
        )
        outcome.tickets = len(got)
        # Those who write have one each, since each may write only so fast; those who only watch can share what is left.
        own, shared = got[: scenario.posters], got[scenario.posters :]
        name = run_name()
        posters = Posters(plan.url, plan.code, own, name, scenario.length, tries=1 if scenario.excess else TRIES)
        try:
            await posters.come()
            outcome.posted = posters.posted
            with tempfile.NamedTemporaryFile("w", suffix=".tickets") as file:
                file.write("\n".join(shared) + "\n")
                file.flush()
                await self._with_audience(name, file.name, posters)
        finally:
            posters.leave()
        return outcome

    async def _with_audience(self, name: str, file: str, posters: Posters) -> None:
        plan, processes = self._plan, self._plan.processes
        async with contextlib.AsyncExitStack() as stack:
            self._began = self._began or time.monotonic()
            children = [
                await stack.enter_async_context(Child(self._words(name, file, place), plan.native, plan.before))
                for place in range(processes)
            ]
            listening = [asyncio.create_task(self._listen(place, child)) for place, child in enumerate(children)]
            try:
                await self._phases(posters, children, listening)
                await self._settle(children)
            finally:
                for task in listening:
                    task.cancel()
                await asyncio.gather(*listening, return_exceptions=True)

    def _words(self, name: str, file: str, place: int) -> Words:
        plan, scenario, processes = self._plan, self._plan.scenario, self._plan.processes
        url = urlsplit(plan.url)
        viewers = scenario.viewers // processes + (place < scenario.viewers % processes)
        return Words(
            host=url.hostname or "",
            port=url.port or (443 if url.scheme == "https" else 80),
            name=url.netloc,
            tls=int(url.scheme == "https"),
            viewers=viewers,
            rate=viewers / scenario.join_over_s if scenario.join_over_s else AT_ONCE,
            code=plan.code,
            run=name,
            tickets=file,
            stall=scenario.stall // processes,
            deflate=int(plan.deflate),
        )

    async def _phases(self, posters: Posters, children: Sequence[Child], listening: Sequence["asyncio.Task[None]"]) -> None:
        scenario = self._plan.scenario
        joined: asyncio.Task[object] = asyncio.create_task(self._all_joined.wait())
        begun = None if scenario.while_joining else self._all_joined
        writing = asyncio.create_task(self._write(posters, children, begun))
        patience = asyncio.create_task(asyncio.sleep(scenario.join_over_s + JOIN_S))
        try:
            # An audience that fails ends the run: nobody would see the messages.
            await asyncio.wait([joined, patience, *listening], return_when=asyncio.FIRST_COMPLETED)
            for task in listening:
                if task.done():
                    task.result()
            self._all_joined.set()
            await asyncio.wait([writing, *listening], return_when=asyncio.FIRST_COMPLETED)
            for task in (writing, *listening):
                if task.done():
                    task.result()
        except Held:
            self.outcome.held = True
        finally:
            joined.cancel()
            writing.cancel()
            patience.cancel()
            await asyncio.gather(joined, writing, patience, return_exceptions=True)

    async def _write(self, posters: Posters, children: Sequence[Child], after: asyncio.Event | None) -> None:
        if after is not None:
            await after.wait()
        if self._plan.scenario.cut_after_s:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._cut_all(children))
                both.create_task(self._write_phases(posters))
        else:
            await self._write_phases(posters)

    async def _cut_all(self, children: Sequence[Child]) -> None:
        """Everybody's connection at once."""
        scenario = self._plan.scenario
        await asyncio.sleep(scenario.cut_after_s)
        await self._all_joined.wait()
        self._cut = True
        for child in children:
            await child.tell(f"cut {scenario.join_over_s}")

    async def _write_phases(self, posters: Posters) -> None:
        for phase in self._plan.scenario.phases:
            await posters.write(phase.rate, phase.seconds, phase.burst)

    # --- what the audience says ---
    async def _listen(self, place: int, child: Child) -> None:
        while True:
            line = await child.line()
            match line:
                case Tick():
                    self._tick(place, line)
                case Joined():
                    self._joined.add(place)
                    self.outcome.join_s = max(self.outcome.join_s, line.s)
                    if len(self._joined) == self._plan.processes:
                        self._all_joined.set()
                case Report():
                    self._reports.put_nowait(line)

    def _tick(self, place: int, tick: Tick) -> None:
        outcome, scenario = self.outcome, self._plan.scenario
        second = int(time.monotonic() - self._began)
        if not outcome.samples or outcome.samples[-1].second != second:
            outcome.samples.append(Sample(second))
        sample = outcome.samples[-1]
        self._live[place] = tick.live
        sample.live = sum(self._live.values())
        sample.messages += tick.messages
        sample.frames += tick.frames
        sample.bytes += tick.bytes
        for pairs, histograms in (
            (tick.latency, (sample.latency, outcome.latency)),
            (tick.joins, (sample.joins, outcome.rejoins if self._cut else outcome.joins)),
        ):
            for histogram in histograms:
                histogram.merge(pairs)
        joining = not self._all_joined.is_set()
        done = sample.live if joining else outcome.posted.due
        of = scenario.viewers if joining else sum(max(1, round(phase.rate * phase.seconds)) for phase in scenario.phases)
        self._told(Progress("joining" if joining else "running", done, of, sample.live, outcome.deliveries))

    # --- what the server says ---
    async def _reading(self, session: aiohttp.ClientSession) -> Reading:
        return await read(session, self._plan.url, self._plan.metrics, time.monotonic() - self._began)

    async def _watch(self, session: aiohttp.ClientSession, told: ServerFigures) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                told.during.append(await self._reading(session))

    async def _look_back(self, session: aiohttp.ClientSession, told: ServerFigures) -> None:
        """What is left once everybody has gone."""
        ends = time.monotonic() + GONE_S
        while not told.gone() and time.monotonic() < ends:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                told.after = await self._reading(session)
            await asyncio.sleep(0.5)

    # --- the end ---
    async def _settle(self, children: Sequence[Child]) -> None:
        """Ask until all has arrived, or has had its time to."""
        outcome, ends = self.outcome, time.monotonic() + SETTLE_S
        watching = self._plan.scenario.viewers - self._plan.scenario.stall // self._plan.processes * self._plan.processes
        while True:
            reports = []
            for child in children:
                await child.tell("report")
                async with asyncio.timeout(SETTLE_S):
                    reports.append(await self._reports.get())
            rows = [row for report in reports for row in report.rows]
            outcome.verdict = judge(rows, outcome.posted.acknowledged)
            outcome.missing = watching - len(rows)
            late = time.monotonic() > ends
            if late or outcome.verdict == Verdict(whole=len(rows)):
                break
            await asyncio.sleep(0.3)
        await asyncio.sleep(2 * TICK_S)  # the last arrivals are told with the next tick
        for report in reports:
            outcome.holes += report.holes
            outcome.doubles += report.doubles
            outcome.disorders += report.disorders
            outcome.resets += report.resets
            outcome.closings.update(report.closings)


async def _ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
