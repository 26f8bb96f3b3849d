"""A certified OpenID Connect provider that really runs (provider.mjs), and people who sign in there as a browser does."""

import contextlib
import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import aiohttp
from yarl import URL

SECRET = "a-secret-of-the-tests"
"""Ours at the provider."""


@contextlib.contextmanager
def providing(issuer_port: int, groups: Mapping[str, Sequence[str]], names: Mapping[str, str] | None = None) -> Iterator[str]:
    """A provider; its address. Ended by its own process id. `groups`: {who signs in: groups}; others are in `staff`.

    `names`: what they are called.
    """
    with subprocess.Popen(
        ["node", str(Path(__file__).parent / "provider.mjs"), f"http://localhost:{issuer_port}/oidc/callback"],
        env={**os.environ, "GROUPS": json.dumps(groups), "NAMES": json.dumps(names or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address.startswith("http://localhost:")
        try:
            yield address
        finally:
            process.terminate()


async def walk(person: aiohttp.ClientSession, url: str, login: str, *, stop: str = "", back: str = "/admit") -> str:
    """Follow a sign-in as a browser does, through the provider's own forms, until it is back; the last address."""
    form: dict[str, str] | None = None
    for _ in range(20):
        if stop and url.startswith(stop):
            return url
        async with person.request("POST" if form else "GET", url, data=form, allow_redirects=False) as response:
            page = await response.text()
            if response.status in (302, 303):
                url, form = str(response.url.join(URL(response.headers["Location"]))), None
                if back in url:
                    return url
                continue
            assert response.status == 200, page
            action = re.search(r'action="([^"]+)"', page)
            assert action is not None, page
            prompt = re.search(r'name="prompt" value="(\w+)"', page)
            form = {"prompt": prompt[1] if prompt else "login", "login": login, "password": "any"}
            url = str(response.url.join(URL(action[1])))
    raise AssertionError("it never came back")
