"""The lock: an author, and nobody else, is shown exactly what the store holds of a message."""

import msgpack

from server.store import log as store_log
from tests.server.serving import Server
from tests.waiting import until


async def stored(server: Server, token: str, message: int) -> tuple[int, object]:
    body = {"command": "message:stored", "payload": {"message": message}}
    return await server.ask("POST", "/api/v1/halls/TESTED/audience/commands", token, json=body)


async def test_the_author_sees_what_is_stored_and_nobody_else_does(server: Server) -> None:
    await server.hall()
    mine, other, host = await server.ticket(), await server.ticket(), await server.link("host")
    seq = (await server.must("TESTED", "audience", mine, "message:post", text="회의가 너무 많습니다."))["seq"]
    runtime = await server.node.gateway.directory.get("TESTED")
    assert runtime is not None
    await until(lambda: seq in runtime.hall.messages)
    status, ack = await stored(server, mine, seq)
    assert status == 200
    data = ack["data"]  # type: ignore[index]  # JSON
    ((_, body, text),) = await store_log.read(server.node.store, "TESTED", seq - 1, 1)
    assert data == {"seq": seq, "entry": msgpack.unpackb(body), "text": text}
    assert set(data["entry"]) <= {"kind", "at", "author", "pseudonym", "asked", "held", "findings"}
    for token, code in ((other, "not_yours"), ("x", "not_admitted")):
        assert (await stored(server, token, seq))[1]["error"]["code"] == code  # type: ignore[index]  # JSON
    body_ = {"command": "message:stored", "payload": {"message": seq}}
    assert (await server.ask("POST", "/api/v1/halls/TESTED/host/commands", host, json=body_))[0] == 403


async def test_what_was_erased_is_shown_as_gone(server: Server) -> None:
    await server.hall()
    mine, host = await server.ticket(), await server.link("host")
    seq = (await server.must("TESTED", "audience", mine, "message:post", text="지워질 글"))["seq"]
    runtime = await server.node.gateway.directory.get("TESTED")
    assert runtime is not None
    await until(lambda: seq in runtime.hall.messages)
    await server.must("TESTED", "host", host, "message:remove", message=seq, reason="personal_data")
    await server.must("TESTED", "host", host, "message:erase", message=seq)

    async def gone() -> bool:
        _, ack = await stored(server, mine, seq)
        return ack["data"]["text"] is None  # type: ignore[index]  # JSON

    await until(gone)
