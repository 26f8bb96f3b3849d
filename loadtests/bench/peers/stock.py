"""python-socketio as its documentation shows it, on aiohttp: `emit` to a room. PORT from the environment."""

import asyncio
import os
import sys
import time
from typing import Any

import socketio
from aiohttp import web

TEXT = (
    "이번 인사이동 기준이 부서마다 다르게 적용되는 것 같은데 도지사님 생각을 듣고 싶습니다. "
    "그리고 구내식당 메뉴도 조금 개선되면 좋겠습니다 부탁드립니다"
)
sio = socketio.AsyncServer(async_mode="aiohttp", transports=["websocket"])


@sio.event  # type: ignore[untyped-decorator]  # the library has no types
async def connect(sid: str, environ: dict[str, Any], auth: Any = None) -> None:
    """Everybody is in one room."""
    await sio.enter_room(sid, "demo")


async def publish(rate: float, count: int, batch: int) -> None:
    """`ts` is when a message was due."""
    began = time.monotonic_ns()
    for number in range(count):
        due = began + int(number // batch * batch / rate * 1e9)
        await asyncio.sleep(max(0.0, (due - time.monotonic_ns()) / 1e9))
        body = {"id": f"{number:020}", "room": "demo", "nick": "익명-0421", "text": TEXT, "ts": due}
        await sio.emit("message", body, room="demo")
    print(f"DONE {count}", flush=True)


async def main() -> None:
    """Obey `P RATE COUNT BATCH` until the input ends."""
    app = web.Application()
    sio.attach(app)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(os.environ["PORT"]), backlog=4096).start()
    loop, lines = asyncio.get_running_loop(), asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    print("UP", flush=True)
    tasks: set[asyncio.Task[None]] = set()
    while line := await lines.readline():
        _, rate, count, batch = line.split()
        task = asyncio.create_task(publish(float(rate), int(count), int(batch)))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


if __name__ == "__main__":
    asyncio.run(main())
