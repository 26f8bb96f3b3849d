"""`townhall verify-pages URL`: whether a running server serves the pages that this checkout builds."""

import asyncio
import hashlib
import random
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp
import orjson

from server.http.built import folder, read
from server.http.well_known import ISSUERS, PLACES, bundle, hashes

ANSWER_BYTES = 8 * 1024**2
TIMEOUT_S = 30.0
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
"""As a browser asks, so that a server cannot tell that it is being checked by this alone."""


class CannotVerify(Exception):
    """A sentence: why nothing could be compared."""


@dataclass(frozen=True, slots=True)
class Compared:
    """`differ`: paths whose bytes are others than ours, or that are not served. `ours`, `theirs`: hashes of the bundle."""

    files: int
    differ: tuple[str, ...]
    ours: str
    theirs: str

    @property
    def same(self) -> bool:
        """Whether every byte of every page is as this checkout builds it, and the server says so too."""
        return not self.differ and self.ours == self.theirs


async def compare(url: str) -> Compared:
    """Fetch every page and asset from `url`, in no order, and compare. Raises CannotVerify."""
    base = urlsplit(url)
    if base.scheme not in ("http", "https") or not base.netloc:
        raise CannotVerify(f"not an address: {url}")
    origin = f"{base.scheme}://{base.netloc}"
    pages = folder()
    if pages is None:
        raise CannotVerify("there are no built pages here: run `make build`")
    ours = hashes(read(pages))
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    jar = aiohttp.DummyCookieJar()
    async with aiohttp.ClientSession(timeout=timeout, headers={"User-Agent": BROWSER}, cookie_jar=jar) as session:
        try:
            status, raw = await _fetch(session, f"{origin}/.well-known/townhall")
            told = orjson.loads(raw)
            serves, theirs = str(told["serves"]), str(told["pages"]["sha256"])
        except (aiohttp.ClientError, TimeoutError, orjson.JSONDecodeError, KeyError, TypeError) as error:
            raise CannotVerify(f"{origin} is no townhall server, or does not answer ({type(error).__name__})") from None
        paths = [path for path in ours if not path.endswith(".html") or (path in ISSUERS) == (serves == "issuer")]
        random.shuffle(paths)
        differ = []
        for path in paths:
            try:
                status, raw = await _fetch(session, origin + PLACES.get(path, f"/{path}"))
            except (aiohttp.ClientError, TimeoutError):
                status, raw = 0, b""
            if status != 200 or hashlib.sha256(raw).hexdigest() != ours[path]:
                differ.append(path)
            await asyncio.sleep(0)
    return Compared(len(paths), tuple(sorted(differ)), bundle(ours), theirs)


async def _fetch(session: aiohttp.ClientSession, url: str) -> tuple[int, bytes]:
    async with session.get(url, allow_redirects=False) as response:
        raw = b""
        async for chunk in response.content.iter_chunked(65_536):
            raw += chunk
            if len(raw) > ANSWER_BYTES:
                raise aiohttp.ClientPayloadError("too much")
        return response.status, raw
