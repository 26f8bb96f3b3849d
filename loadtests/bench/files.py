"""What a visitor's first load costs the server: the audience's page and all that it brings, by the front and by aiohttp.

`python -m loadtests.bench.files` prints processor time for each file, the one beside the other in one run: a request with a
Content-Length gets the same answer from aiohttp.
"""

import argparse
import asyncio
import re
import socket
import sys
import time
from urllib.parse import urlsplit

from loadtests.bench.product import CODE, Product, product

VISITORS = 1_000
ROUNDS = 3
FRONT, AIOHTTP = "front", "aiohttp"
_PACKED = "Accept-Encoding: gzip, deflate, br\r\n"
_PLAIN = "Accept-Encoding: identity\r\n"
_MORE = {FRONT: _PACKED, AIOHTTP: f"{_PACKED}Content-Length: 0\r\n"}
_BROWSERS = (
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r\n"
    "Accept: */*\r\nAccept-Language: ko-KR,ko;q=0.9,en;q=0.8\r\nConnection: keep-alive\r\n"
    "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Dest: script\r\n"
)
"""What a browser sends with each request."""


def visit(url: str, paths: list[str], more: str) -> tuple[int, list[bytes]]:
    """Ask for `paths` one after the other on one connection. (bytes that came, bodies). Raises OSError, ValueError."""
    parts = urlsplit(url)
    came, bodies = 0, []
    with socket.create_connection((parts.hostname or "", parts.port or 80), 10) as peer:
        for path in paths:
            peer.sendall(f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\n{_BROWSERS}{more}\r\n".encode())
            got = peer.recv(65_536)
            while (end := got.find(b"\r\n\r\n") + 4) < 4:
                got += _some(peer)
            length = re.search(rb"\r\nContent-Length: (\d+)", got[:end])
            if not got.startswith(b"HTTP/1.1 200") or length is None:
                raise ValueError(f"{path}: {got[:80]!r}")
            while len(got) < end + int(length[1]):
                got += _some(peer)
            came += len(got)
            bodies.append(got[end:])
    return came, bodies


def _some(peer: socket.socket) -> bytes:
    data = peer.recv(262_144)
    if not data:
        raise ConnectionResetError("the server closed the connection")
    return data


def measured(made: Product, paths: list[str], way: str, visitors: int) -> tuple[float, int]:
    """(processor microseconds of the server for each file, bytes a visitor got)."""
    before, came = made.usage(), 0
    for _ in range(visitors):
        came = visit(made.url, paths, _MORE[way])[0]
    used = made.usage().since(before)
    return used.cpu_s / (visitors * len(paths)) * 1e6, came


async def main(visitors: int, rounds: int) -> int:
    """Print a line a round."""
    async with product(posters=0) as made:
        page = f"/t/{CODE}"
        html = visit(made.url, [page], _PLAIN)[1][0].decode()
        paths = [page, *re.findall(r'(?:src|href)="(/[^"]+)"', html)]
        idle = made.usage()
        await asyncio.sleep(2)
        idle_s = made.usage().since(idle).cpu_s / 2
        for number in range(rounds):
            figures = {}
            for way in (FRONT, AIOHTTP) if number % 2 else (AIOHTTP, FRONT):
                began = time.perf_counter()
                each, came = await asyncio.to_thread(measured, made, paths, way, visitors)
                each -= idle_s * (time.perf_counter() - began) / (visitors * len(paths)) * 1e6
                figures[way] = each
            print(
                f"{len(paths)} files, {came / 1024:.0f} kB a visitor, connection included: "
                f"front {figures[FRONT]:.0f} µs a file, aiohttp {figures[AIOHTTP]:.0f} µs"
            )
    return 0


if __name__ == "__main__":
    asking = argparse.ArgumentParser(description=__doc__)
    asking.add_argument("--visitors", type=int, default=VISITORS)
    asking.add_argument("--rounds", type=int, default=ROUNDS)
    given = asking.parse_args()
    sys.exit(asyncio.run(main(given.visitors, given.rounds)))
