"""Tickets for a whole audience, fetched before it comes: as many as one address may have, shared where that is fewer."""

import asyncio
from collections.abc import Callable

import aiohttp

from loadtests.client import NotAdmitted
from loadtests.entry import enter
from protocol.limits import limit
from protocol.names import Language

AT_ONCE = 50
MARGIN = 100
"""Tickets that one address leaves to others behind it."""
LOCAL = 16
"""Addresses of the loopback that are tried: each gets its own."""


async def tickets(
    url: str, code: str, wanted: int, *, least: int, lang: Language, told: Callable[[int], None] = lambda got: None
) -> list[str]:
    """`least` to `wanted` tickets. Raises NotAdmitted if the server gives fewer; aiohttp's errors.

    Where there is an issuer they come by its open code. One address gets only so many a minute. On the loopback we have
    many addresses; elsewhere the tickets are shared: to the server that is one employee with several windows open.
    """
    here = any(f"//{host}" in url for host in ("127.0.0.1", "localhost"))
    got: list[str] = []
    refused: NotAdmitted | None = None
    for place in range(LOCAL if here else 1):
        try:
            await _from_one(f"127.0.0.{2 + place}" if here else None, url, code, wanted, lang, got, told)
        except NotAdmitted as error:
            refused = error
        if len(got) >= wanted or (refused is not None and refused.data.get("code") != "too_many_joins"):
            break
    if len(got) < least:
        raise refused or NotAdmitted({"message": f"{len(got)} < {least}"})
    return got


async def _from_one(
    address: str | None, url: str, code: str, wanted: int, lang: Language, got: list[str], told: Callable[[int], None]
) -> None:
    """As many as one address may have, into `got`. Raises NotAdmitted."""
    ends = min(wanted, len(got) + limit("joins_per_address_per_min") - MARGIN)
    connector = aiohttp.TCPConnector(limit=AT_ONCE, local_addr=(address, 0) if address else None)
    async with aiohttp.ClientSession(connector=connector, headers={"Accept-Language": lang}) as session:
        while len(got) < ends:
            some = (enter(session, url, code) for _ in range(min(AT_ONCE, ends - len(got))))
            answers = await asyncio.gather(*some, return_exceptions=True)
            got += [answer for answer in answers if isinstance(answer, str)]
            told(len(got))
            for answer in answers:
                if isinstance(answer, BaseException):
                    raise answer
