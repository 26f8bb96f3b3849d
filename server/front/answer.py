"""The last lines of a head, and what follows it: written as aiohttp writes them."""

from email.utils import formatdate
from functools import lru_cache


def dated(head: bytes, body: bytes, now: float, *, closes: bool = False) -> bytes:
    """A whole answer at unix second `now`. `head`: its lines so far. `closes`: it is the last one on its connection."""
    return b"%bDate: %b\r\n%b\r\n%b" % (head, _date(int(now)), b"Connection: close\r\n" if closes else b"", body)


@lru_cache(2)
def _date(second: int) -> bytes:
    return formatdate(second, usegmt=True).encode()
