"""What a running server leaves behind about those who came: a canary in everything they bring, then a search."""

import asyncio
import signal
from pathlib import Path
from uuid import uuid4

import aiohttp

from tests.server.command import ran, started

AGENT = f"canary-agent-{uuid4().hex}"
COOKIE = f"canary-cookie-{uuid4().hex}"
FORWARDED = "203.0.113.77"
WORDS = f"카나리아{uuid4().hex}"
CSV = "부서명,담당자\n기획조정실,한도윤\n"


async def test_logs_hold_no_text_ticket_address_or_agent_and_the_store_no_ticket_address_or_agent(tmp_path: Path) -> None:
    (tmp_path / "directors.csv").write_text(CSV)
    log = tmp_path / "log"
    async with started("serve", "--port", "0", folder=tmp_path, stderr=log) as server:
        url = await server.says("listening on ")
        arguments = ("--title", "x", "--directors", "directors.csv", "--code", "NOV24", "--who", "link", "--open")
        await ran("create", *arguments, folder=tmp_path)
        headers = {"User-Agent": AGENT, "Cookie": f"a={COOKIE}", "X-Forwarded-For": FORWARDED}
        async with aiohttp.ClientSession(headers=headers) as session:
            async with session.post(f"{url}/api/v1/halls/NOV24/join") as response:
                ticket = (await response.json())["data"]["ticket"]
            token = {"Authorization": f"Bearer {ticket}"}
            command = {"command": "message:post", "payload": {"client_id": "canary-0001", "text": WORDS}}
            commands = f"{url}/api/v1/halls/NOV24/audience/commands"
            async with session.post(commands, json=command, headers=token) as response:
                assert response.status == 200
            # And everything that may go wrong: each could tempt a library to tell what it saw.
            for path in (f"/{WORDS}", f"/api/v1/halls/{WORDS}", f"/api/v1/halls/NOV24/{WORDS}/stream", f"/?x={WORDS}"):
                async with session.get(url + path) as response:
                    assert response.status < 500
            for data in (f'{{"command": "{WORDS}", "payload": {{}}}}', f'{{"{WORDS}": 1}}', WORDS, "\x00" + WORDS):
                async with session.post(commands, data=data.encode(), headers=token) as response:
                    assert response.status == 400
            async with session.ws_connect(f"{url}/socket.io/?EIO=4&transport=websocket") as socket:
                await socket.send_str(f'40/audience,{{"code":"NOV24","token":"{ticket}"}}')
                await socket.receive(timeout=5)
                await socket.receive(timeout=5)
                await socket.send_str(f'42/audience,1["{WORDS}",{{}}]')
                await socket.receive(timeout=5)
                await socket.send_str(WORDS)
        for raw in (f"GET /{WORDS}\r\n\r\n", f"{WORDS} / HTTP/1.1\r\n\r\n", f"GET / HTTP/1.1\r\n{WORDS}\r\n\r\n"):
            reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
            writer.write(raw.encode())
            await asyncio.wait_for(reader.read(), 20)
            writer.close()
        assert await server.ends(signal.SIGTERM) == 0
        said = "\n".join(server.said)
    logged = log.read_text()
    assert not logged  # nothing of the above is worth a line
    for trace in (WORDS, ticket, AGENT, COOKIE, FORWARDED, "127.0.0.1"):
        assert trace not in logged, trace
    for trace in (WORDS, ticket, AGENT, COOKIE, FORWARDED):
        assert trace not in said, trace
    stored = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())
    assert WORDS.encode() in stored  # the search finds what is there
    for trace in (ticket, AGENT, COOKIE, FORWARDED):
        assert trace.encode() not in stored, trace
    participant = ticket.encode()
    assert participant[:16] not in stored
