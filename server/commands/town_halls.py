"""The town halls of a data folder, as a command beside the server reads and changes them."""

import contextlib
from collections.abc import AsyncIterator

from protocol.names import Language
from server.commands.terminal import Failed, say
from server.halls.runtime import Runtime
from server.settings import Settings
from server.store.embedded import DataFolderBusy, ValkeyFailed
from server.toolbox import Toolbox, toolbox


@contextlib.asynccontextmanager
async def opened(settings: Settings, lang: Language) -> AsyncIterator[Toolbox]:
    """Until the context ends. Raises Failed, StoreUnavailable, StoreRefused, BadSecret."""
    async with contextlib.AsyncExitStack() as stack:
        try:
            tools = await stack.enter_async_context(toolbox(settings))
        except (DataFolderBusy, ValkeyFailed) as error:
            raise Failed(say(lang, "offline_needs", why=error)) from None
        yield tools


async def find(tools: Toolbox, code: str, lang: Language) -> Runtime:
    """The town hall of that code. Raises Failed."""
    runtime = await tools.directory.get(code)
    if runtime is None:
        raise Failed(say(lang, "no_hall", code=code))
    return runtime
