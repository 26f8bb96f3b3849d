"""Chromium, driven through `driver.mjs` (playwright-core): a page as a test sees it."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson

from protocol.names import Language
from protocol.sentences import sentence

HERE = Path(__file__).parent
PICTURES = HERE.parents[1] / "test-output"
WAIT_MS = 40_000
"""Longest wait for what should come to be."""
ANSWER_S = 60.0


class Driver:
    """The child process. Several requests may be under way at once."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self.reader = asyncio.create_task(self._read())

    def number(self) -> int:
        """A name for a context or a page."""
        return next(self._numbers)

    async def ask(self, name: str, **given: Any) -> Any:
        """The answer. AssertionError with what the browser said, where it could not."""
        number = self.number()
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        assert self._process.stdin is not None
        self._process.stdin.write(orjson.dumps({"id": number, "name": name, **given}) + b"\n")
        await self._process.stdin.drain()
        async with asyncio.timeout(ANSWER_S):
            found = await answer
        assert "error" not in found, found["error"]
        return found["value"]

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            found = orjson.loads(line)
            self._answers.pop(found["id"]).set_result(found)
        for answer in self._answers.values():
            answer.set_exception(ConnectionError("the browser is gone"))


@contextlib.asynccontextmanager
async def chromium() -> AsyncIterator[Driver]:
    """A browser; ended with its children at the end."""
    process = await asyncio.create_subprocess_exec(
        "node",
        str(HERE / "driver.mjs"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=64 << 20,
    )
    driver = Driver(process)
    try:
        yield driver
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(20):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
        await driver.reader


class Page:
    """One page in a browser context of its own. `selector`: Playwright's (CSS, `role=…`, `text=…`, `>> nth=0`)."""

    def __init__(self, driver: Driver, name: str, lang: Language) -> None:
        self._driver = driver
        self.name = name
        self.lang: Language = lang
        self.context = driver.number()
        self.number = driver.number()
        self._sections = (name.partition("-")[0], "common", "refusal")

    async def act(self, *steps: list[Any]) -> Any:
        """Playwright's own methods, one called on what the one before gave."""
        return await self._driver.ask("act", page=self.number, steps=steps)

    def words(self, key: str, /, **params: object) -> str:
        """Of the catalogue: `section.key` in this page's language."""
        section, _, rest = key.partition(".")
        return sentence(self.lang, section, rest, **params)

    async def goto(self, url: str) -> None:
        await self.act(["goto", url])

    async def reload(self) -> None:
        await self.act(["reload"])

    async def click(self, selector: str) -> None:
        await self.act(["locator", selector], ["click", {"timeout": WAIT_MS}])

    async def button(self, key: str, within: str = "body", /, **params: object) -> None:
        """Click the button that the catalogue calls so (its key may stand after the words)."""
        await self.click(f"{within} >> role=button[name=/^{_escaped(self.words(key, **params))}( |$)/]")

    async def fill(self, selector: str, text: str) -> None:
        await self.act(["locator", selector], ["fill", text, {"timeout": WAIT_MS}])

    async def press(self, *keys: str) -> None:
        """Physical keys, as `event.code` names them."""
        for key in keys:
            await self.act(["keyboard.press", key])

    async def focus(self, selector: str) -> None:
        await self.act(["locator", selector], ["focus", {"timeout": WAIT_MS}])

    async def text(self, selector: str) -> str:
        """As it is seen; "" where nothing matches."""
        found = await self.texts(selector)
        return found[0] if found else ""

    async def texts(self, selector: str) -> list[str]:
        found: list[str] = await self.act(["locator", selector], ["allInnerTexts"])
        return found

    async def count(self, selector: str) -> int:
        found: int = await self.act(["locator", selector], ["count"])
        return found

    async def sees(self, selector: str, *, times: int | None = None, wait_ms: int = WAIT_MS) -> None:
        """Wait until it is there to be seen; with `times`, until it is there so often."""
        if times is None:
            await self.act(["locator", selector], ["first"], ["waitFor", {"state": "visible", "timeout": wait_ms}])
            return
        for _ in range(wait_ms // 50):
            if await self.count(selector) == times:
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"{self.name}: {await self.count(selector)} of {selector}, not {times}")

    async def says(self, selector: str, text: str) -> None:
        """Wait until what matches has `text` in it."""
        await self.act(["locator", selector, {"hasText": text}], ["first"], ["waitFor", {"state": "visible", "timeout": WAIT_MS}])

    async def lacks(self, selector: str) -> None:
        """Wait until it is not to be seen."""
        await self.act(["locator", selector], ["first"], ["waitFor", {"state": "hidden", "timeout": WAIT_MS}])

    async def shut(self) -> None:
        """Close the dialog; not by Escape, which twice in a short time clears the overlays."""
        await self.evaluate("document.querySelector('dialog[open]').close()")
        # The page hears of it a moment after the element says so.
        await self.sees("dialog", times=0)

    async def evaluate(self, expression: str, given: Any = None) -> Any:
        """A JavaScript expression, or a function: `(given) => …`."""
        return await self.act(["evaluate", expression, given])

    async def until(self, expression: str, given: Any = None, *, wait_ms: int = WAIT_MS) -> Any:
        """Wait until it is true; its value."""
        value = await self._driver.ask("until", page=self.number, expression=expression, given=given, timeout_ms=wait_ms)
        assert value, f"{self.name}: never true: {expression} ({given})"
        return value

    async def live(self) -> None:
        """Wait until the page stands, and is connected."""
        await self.sees("h1, .overlay", wait_ms=30_000)
        for key in ("common.connecting", "common.reconnecting"):
            await self.lacks(f"text={self.words(key)}")

    async def size(self, width: int, height: int) -> None:
        await self.act(["setViewportSize", {"width": width, "height": height}])

    async def offline(self, on: bool) -> None:
        """As if the network were unplugged."""
        await self._driver.ask("offline", context=self.context, on=on)

    async def cdp(self, method: str, **params: Any) -> None:
        """A command of the DevTools protocol, for an input method's keys."""
        await self._driver.ask("cdp", page=self.number, method=method, params=params)

    async def decoded(self, selector: str) -> str:
        """What the QR code in the picture of it says."""
        found: str = await self._driver.ask("decoded", page=self.number, selector=selector)
        return found

    async def printed_pages(self) -> int:
        """Sheets of A4 that printing it takes."""
        found: int = await self._driver.ask("printed", page=self.number)
        return found

    async def download(self, selector: str) -> str:
        """Click, and read the file that the page hands over."""
        found: str = await self._driver.ask("download", page=self.number, selector=selector)
        return found

    async def serious(self) -> list[str]:
        """What axe finds serious or critical."""
        found = await self._driver.ask("axe", page=self.number)
        return [f"{one['id']}: {node}" for one in found if one["impact"] in ("serious", "critical") for node in one["nodes"]]

    async def spills(self) -> list[str]:
        """What sticks out of the page, is cut off or scrolls sideways."""
        found: list[str] = await self._driver.ask("spills", page=self.number)
        return found

    async def problems(self) -> list[str]:
        """Errors, warnings, violations of the policy, requests to other hosts, dialogs: since asked last."""
        found: list[str] = await self._driver.ask("problems", page=self.number)
        return found

    async def picture(self, name: str) -> None:
        PICTURES.mkdir(exist_ok=True)
        await self.act(["screenshot", {"path": str(PICTURES / f"{name}.png"), "timeout": 5_000}])

    async def close(self) -> None:
        await self._driver.ask("close", context=self.context)

    async def open(self, origin: str, *, closed: bool, agree: bool, before: str, storage: dict[str, str], options: Any) -> None:
        """Make the context and an empty page."""
        await self._driver.ask(
            "context", context=self.context, origin=origin, options=options, closed=closed, agree=agree, storage=storage
        )
        await self._driver.ask("page", page=self.number, context=self.context, before=before)


def _escaped(text: str) -> str:
    return "".join("\\" + letter if letter in r"\/.*+?()[]{}|^$" else letter for letter in text)
