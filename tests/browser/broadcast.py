"""A small broadcast by HLS (RFC 8216) on an origin of its own: recorded by the browser itself, so that nothing else is needed."""

import base64
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from aiohttp import web

from tests.browser.browser import Page

KIND = "video/mp4;codecs=avc1.42E01E"
SECONDS = 4
RECORD = f"""(async () => {{
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [160, 90];
  const paint = canvas.getContext("2d");
  const drawing = setInterval(() => {{
    paint.fillStyle = `hsl(${{performance.now() % 360}} 80% 50%)`;
    paint.fillRect(0, 0, 160, 90);
  }}, 40);
  const recorder = new MediaRecorder(canvas.captureStream(25), {{ mimeType: "{KIND}" }});
  const parts = [];
  recorder.ondataavailable = ({{ data }}) => parts.push(data);
  const stopped = new Promise((done) => (recorder.onstop = done));
  recorder.start(1_000);
  await new Promise((done) => setTimeout(done, {SECONDS * 1_000}));
  recorder.stop();
  await stopped;
  clearInterval(drawing);
  let bytes = "";
  for (const byte of new Uint8Array(await new Blob(parts).arrayBuffer())) bytes += String.fromCharCode(byte);
  return btoa(bytes);
}})()"""


@dataclass(slots=True)
class Broadcast:
    """`url` of the playlist. `on`: whether it has begun; before, there is nothing. `asked`: paths, as they were asked for."""

    origin: str
    files: dict[str, bytes]
    on: bool = True
    asked: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"{self.origin}/live.m3u8"


async def record(page: Page) -> dict[str, bytes]:
    """Files of a broadcast of a few seconds, by name; `page` may be any."""
    raw = base64.b64decode(await page.evaluate(RECORD))
    boxes: list[tuple[str, bytes]] = []
    while raw:
        size = int.from_bytes(raw[:4])
        assert size >= 8, "a box as large as the rest is not written by a recorder"
        boxes.append((raw[4:8].decode("latin-1"), raw[:size]))
        raw = raw[size:]
    begin = next(place for place, (kind, _) in enumerate(boxes) if kind == "moof")
    files = {"init.mp4": b"".join(box for _, box in boxes[:begin])}
    for kind, box in boxes[begin:]:
        if kind == "moof":
            files[f"{len(files)}.m4s"] = b""
        if kind in ("moof", "mdat"):
            files[f"{len(files) - 1}.m4s"] += box
    assert len(files) > 2
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", f"#EXT-X-TARGETDURATION:{SECONDS}", '#EXT-X-MAP:URI="init.mp4"']
    for name in list(files)[1:]:
        lines += [f"#EXTINF:{SECONDS / (len(files) - 1):.3f},", name]
    files["live.m3u8"] = "\n".join([*lines, "#EXT-X-ENDLIST", ""]).encode()
    return files


@contextlib.asynccontextmanager
async def broadcasting(files: dict[str, bytes], readers: str, *, on: bool = True) -> AsyncIterator[Broadcast]:
    """On a free port of the loopback, for pages of the origin `readers`."""

    async def serve(request: web.Request) -> web.Response:
        broadcast.asked.append(request.path)
        found = files.get(request.path.lstrip("/")) if broadcast.on else None
        headers = {"Access-Control-Allow-Origin": readers, "Cache-Control": "no-store"}
        kind = "application/vnd.apple.mpegurl" if request.path.endswith("m3u8") else "video/mp4"
        return web.Response(status=404 if found is None else 200, body=found, headers=headers, content_type=kind)

    app = web.Application()
    app.router.add_get("/{name}", serve)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    broadcast = Broadcast(f"http://127.0.0.1:{runner.addresses[0][1]}", files, on)
    try:
        yield broadcast
    finally:
        await runner.cleanup()
