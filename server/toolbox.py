"""What commands beside a running server need: its store, read and written by the same code, without sockets."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from server.admission.links import Links
from server.halls.ballots import Ballots
from server.halls.directory import Directory
from server.halls.execute import Executor
from server.nonces import Nonces
from server.openings import Openings
from server.secret import load
from server.settings import ADDRESS, Settings
from server.store.appender import Appender
from server.store.client import Store, connect
from server.store.embedded import DataFolderBusy, EmbeddedValkey
from server.store.erase import Eraser
from server.store.follower import Follower
from server.store.gauges import Presence, SupportGauges
from server.store.openings import StoredOpenings
from server.store.tokens import SpentTokens
from server.store.votes import Votes


@dataclass(frozen=True, slots=True)
class Toolbox:
    """The store of a data folder, and the town halls in it."""

    store: Store
    directory: Directory
    executor: Executor
    links: Links
    openings: Openings


@contextlib.asynccontextmanager
async def toolbox(settings: Settings) -> AsyncIterator[Toolbox]:
    """Uses the Valkey of a server that runs on the folder, else starts it for as long as this takes."""
    async with contextlib.AsyncExitStack() as stack:
        data = Path(settings.data_dir)
        url = settings.redis_url
        if not url:
            valkey = EmbeddedValkey(data, fsync=settings.fsync)
            try:
                await valkey.start()
                stack.push_async_callback(valkey.stop)
            except DataFolderBusy:
                await valkey.attach()
            url = valkey.url
        store = await connect(url)
        stack.push_async_callback(store.close)
        followers: list[Follower] = []
        appender = Appender(store, known=lambda code: followers[0].known(code))
        follower = Follower(store, appender)
        followers.append(follower)
        await follower.start()
        stack.push_async_callback(follower.stop)
        eraser, support = Eraser(store), SupportGauges(store)
        stack.push_async_callback(eraser.stop)
        directory = Directory(store, appender, follower, eraser, support, Presence(store, "toolbox"), SpentTokens(store))
        executor = Executor(appender, follower, support, eraser, Ballots(Votes(store), eraser), zone=settings.time_zone)
        secret = load(Path(settings.secret_file) if settings.secret_file else data / "secret")
        told = data / ADDRESS
        address = told.read_text("ascii").strip() if told.exists() else f"http://{settings.host}:{settings.port}"
        public_url = settings.public_url.rstrip("/") or address
        links = Links(secret, public_url)
        openings = Openings(secret, links.organiser_key, StoredOpenings(store), Nonces(secret.key("opening-nonce")))
        yield Toolbox(store, directory, executor, links, openings)
