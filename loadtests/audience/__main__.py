"""`python -m loadtests.audience KEY=VALUE …`: see the package's docstring. Ends with its input."""

import asyncio
import gc
import os
import resource
import sys

from loadtests.audience.crowd import Crowd
from loadtests.audience.words import parse

TICK_S = 0.25


async def main() -> None:
    """Come in, and tick until the driver closes the pipe."""
    crowd = Crowd(parse(sys.argv[1:]))
    loop = asyncio.get_running_loop()
    ended, rest = asyncio.Event(), b""

    def heard() -> None:
        nonlocal rest
        got = os.read(0, 65_536)
        if not got:
            loop.remove_reader(0)
            ended.set()
        *lines, rest = (rest + got).split(b"\n")
        for line in lines:
            crowd.hear(line.decode())

    loop.add_reader(0, heard)
    coming = loop.create_task(crowd.come())
    gc.freeze()
    while not ended.is_set():
        await asyncio.sleep(TICK_S)
        crowd.tick()
    coming.cancel()


if __name__ == "__main__":
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    asyncio.run(main())
