"""A real browser with one cookie jar: what the issuer sets there never reaches the chat, on this machine as everywhere."""

import asyncio

from tests.browser.house import House


async def test_a_cookie_of_the_issuers_host_reaches_the_chat_with_no_request(admitting: House) -> None:
    process = await asyncio.create_subprocess_exec(
        *("node", "tests/browser/jar.mjs", admitting.served.url, admitting.issuer, admitting.code),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(120):
        said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
