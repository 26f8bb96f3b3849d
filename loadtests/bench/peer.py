"""The peers: what each is, how it is started, which protocol its audience speaks."""

import contextlib
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from loadtests.audience.words import Words
from loadtests.bench import install
from loadtests.bench.pinned import Pinned, free_port, listening
from loadtests.bench.usage import AUDIENCE_CORE, Usage

DONE_S = 180.0


@dataclass(frozen=True, slots=True)
class Kind:
    """`command(folder, port)`. `mode`, `path`: of the audience. `publisher`: where it has none of its own."""

    title: str
    command: Callable[[Path, int], Sequence[str]]
    mode: str = "plain"
    path: str = "/"
    environ: Callable[[], Mapping[str, str]] = field(default=dict)
    publisher: Sequence[str] = ()


def _node(script: str) -> Callable[[Path, int], Sequence[str]]:
    return lambda folder, port: ["node", str(install.PEERS / script)]


def _modules() -> Mapping[str, str]:
    return {"NODE_PATH": str(install.node())}


def _nginx(folder: Path, port: int) -> Sequence[str]:
    configuration = folder / "nginx.conf"
    configuration.write_text(
        f"""load_module {install.nchan()}; daemon off; worker_processes 1; error_log {folder}/error; pid {folder}/pid;
worker_rlimit_nofile 20000; events {{ worker_connections 19000; }}
http {{ access_log off; client_body_temp_path {folder}/bodies; nchan_shared_memory_size 256M;
server {{ listen 127.0.0.1:{port} backlog=4096;
location = /pub {{ nchan_publisher; nchan_channel_id chat; nchan_message_buffer_length 100; keepalive_requests 1000000; }}
location / {{ nchan_subscriber websocket; nchan_channel_id chat; nchan_subscriber_first_message newest; }} }} }}
""",
        "utf-8",
    )
    return ["/usr/sbin/nginx", "-c", str(configuration)]


SOCKET_IO = "/socket.io/?EIO=4&transport=websocket"
KINDS: dict[str, Kind] = {
    "floor": Kind("C loop of send(), the floor", lambda folder, port: [str(install.floor())]),
    "uws": Kind("uWebSockets.js", _node("uws.js"), environ=_modules),
    "node": Kind("Socket.IO on Node", _node("socketio.js"), "socketio", SOCKET_IO, environ=_modules),
    "stock": Kind(
        "python-socketio as it comes",
        lambda folder, port: [str(install.python()), str(install.PEERS / "stock.py")],
        "socketio",
        SOCKET_IO,
    ),
    "nchan": Kind("Nchan (nginx)", _nginx, publisher=(sys.executable, str(install.PEERS / "nchan_publisher.py"))),
}


class Peer:
    """One of KINDS, running."""

    def __init__(self, name: str, server: Pinned, publisher: Pinned, port: int) -> None:
        self.name = name
        self._kind = KINDS[name]
        self._server = server
        self._publisher = publisher
        self._port = port

    def usage(self) -> Usage:
        """Of the server and all that it started."""
        return self._server.usage()

    def words(self, viewers: int, rate: float, *, stall: int = 0, deflate: bool = False) -> Words:
        """What an audience needs to be told."""
        return Words(
            host="127.0.0.1",
            port=self._port,
            viewers=viewers,
            rate=rate,
            stall=stall,
            deflate=int(deflate),
            path=self._kind.path,
            mode=self._kind.mode,
            code="-",
            run="none",
            tickets="/dev/null",
        )

    async def publish(self, rate: float, seconds: float, burst: int = 1) -> int:
        """As Contestant.publish; a peer makes its messages itself."""
        count = max(burst, round(rate * seconds))
        self._publisher.say(f"P {rate:.4f} {count} {burst}")
        await self._publisher.hear("DONE", DONE_S + seconds)
        return count


@contextlib.asynccontextmanager
async def peer(name: str) -> AsyncIterator[Peer]:
    """Raises Missing, ServerFailed."""
    kind, port = KINDS[name], free_port()
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="townhall-bench-")))
        environ = {**kind.environ(), "PORT": str(port)}
        server = await stack.enter_async_context(Pinned(kind.command(folder, port), folder / "errors", environ))
        if not kind.publisher:
            await server.hear("UP")
        await listening(port)
        publisher = server
        if kind.publisher:
            publisher = await stack.enter_async_context(Pinned(kind.publisher, folder / "publisher", environ, AUDIENCE_CORE))
            await publisher.hear("UP")
        yield Peer(name, server, publisher, port)
