"""Waiting for what will be, with a bound."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any


async def until(what: Callable[[], Any] | Callable[[], Awaitable[Any]], timeout_s: float = 30.0) -> Any:
    """Wait until `what()` is true; its value. Fails after `timeout_s`."""
    ends = time.monotonic() + timeout_s
    while True:
        value = what()
        if isinstance(value, Awaitable):
            value = await value
        if value:
            return value
        assert time.monotonic() < ends, f"not within {timeout_s} s: {what}"
        await asyncio.sleep(0.01)
