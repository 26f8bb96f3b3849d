"""What a connection costs: to join, to keep, to keep alive; and what happens when all come at once."""

import asyncio
import time

import aiohttp

from loadtests.audience.lines import Counted, Joined, Report, Window
from loadtests.bench.contestant import Audience
from loadtests.bench.product import Product, gc_pauses, longest_ms
from loadtests.bench.rows.row import Figures, Options, opened, watched
from loadtests.histogram import Histogram

JOIN_RATE = 1_000.0
SETTLED_S = 3.0
IDLE_S = 20.0
"""What a server does by itself is taken off; it weighs as much as the heartbeats, so it is measured for nearly as long."""
HEARTBEAT_S = 30.0
"""Longer than any peer's interval of heartbeats: each connection has at least one."""
PROBE_S = 0.005


async def kept(name: str, options: Options) -> Figures:
    """Memory of an idle connection, processor time of a join and of a heartbeat, and the longest pause of the server's loop."""
    viewers = options.viewers(5_000)
    async with opened(name, viewers, posters=0) as contestant:
        async with watched(contestant, 50, options.native):
            await asyncio.sleep(1)  # imports and caches
        await asyncio.sleep(SETTLED_S)
        quiet = contestant.usage()
        await asyncio.sleep(IDLE_S)
        empty = contestant.usage()
        idle_s = (empty.cpu_s - quiet.cpu_s) / IDLE_S
        # What was looked at while nobody was there, at the start most of all, made nobody wait.
        pauses = await gc_pauses(contestant) if isinstance(contestant, Product) else {}
        async with watched(contestant, viewers, options.native, rate=JOIN_RATE) as (audience, joined):
            await asyncio.sleep(SETTLED_S)
            full = contestant.usage()
            joining = full.since(empty)
            figures: Figures = {
                "kb": round(joining.rss_kb / viewers, 2),
                "join_us": round((joining.cpu_s - idle_s * (joined.s + SETTLED_S)) / viewers * 1e6, 1),
                "joined_s": joined.s,
                "viewers": viewers,
            }
            await audience.child.tell("window")
            await audience.child.until(Window)
            before = contestant.usage()
            await asyncio.sleep(HEARTBEAT_S)
            used = contestant.usage().since(before)
            await audience.child.tell("count 1 0")
            pings = (await audience.child.until(Counted)).pings
            figures["pings"] = pings
            if pings:
                figures["ping_us"] = round(max(0.0, used.cpu_s - idle_s * HEARTBEAT_S) / pings * 1e6, 1)
            if isinstance(contestant, Product):
                figures["pause_ms"] = round(await _longest_answer_ms(contestant.url, 10.0), 1)
                figures["gc_ms"] = longest_ms(pauses, await gc_pauses(contestant))
        return figures


async def _longest_answer_ms(url: str, seconds: float) -> float:
    """The longest that a small request had to wait: no pause of the loop was longer, whatever it came from."""
    longest, ends = 0.0, time.monotonic() + seconds
    async with aiohttp.ClientSession() as session:
        while time.monotonic() < ends:
            began = time.monotonic()
            async with session.get(f"{url}/healthz") as response:
                await response.read()
            longest = max(longest, time.monotonic() - began)
            await asyncio.sleep(PROBE_S)
    return longest * 1e3


async def storm(name: str, options: Options) -> Figures:
    """10,000 come within 10 s while 500 who are there already read 5 messages a second."""
    there, coming = options.viewers(500), options.viewers(10_000)
    async with (
        opened(name, there + coming) as contestant,
        watched(contestant, there, options.native) as (first, _),
    ):
        assert isinstance(contestant, Product)
        await contestant.publish(5.0, 3.0)
        await first.child.tell("window")
        await first.child.until(Window)
        words = contestant.words(coming, coming / 10)
        async with Audience(words, options.native) as second:
            writing = asyncio.create_task(contestant.publish(5.0, 14.0))
            joined = await second.child.until(Joined, 120)
            count = await writing
            await first.child.tell(f"count {count * there} 10")
            seen = Histogram((await first.child.until(Counted)).latency)
            await asyncio.sleep(1)
            whole = all([(await contestant.judged(one))[0] for one in (first, second)])
            await second.child.tell("report")
            joins = Histogram((await second.child.until(Report)).joins)
        return {
            "joined": joined.live,
            "wanted": coming,
            "joined_s": joined.s,
            "join_p99": round(joins.percentile(0.99), 1),
            "seen_p99": round(seen.percentile(0.99), 1),
            "whole": whole,
        }


async def instant(name: str, options: Options) -> Figures:
    """5,000 connect at the same instant: after how long are all in?"""
    viewers = options.viewers(5_000)
    async with opened(name, viewers, posters=0) as contestant:
        async with watched(contestant, 50, options.native):
            await asyncio.sleep(1)
        await asyncio.sleep(1)
        before = contestant.usage()
        async with watched(contestant, viewers, options.native, rate=1e6) as (_, joined):
            used = contestant.usage().since(before)
            return {"joined_s": joined.s, "join_us": round(used.cpu_s / viewers * 1e6, 1), "viewers": viewers}
