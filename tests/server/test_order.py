"""What was acknowledged to somebody is known when they, or somebody they tell, asks for the next thing."""

from tests.server.serving import Server


async def test_what_follows_an_acknowledgement_is_judged_with_it(server: Server) -> None:
    for number in range(20):
        code = await server.hall(f"HALL{number}")
        ticket, host = await server.ticket(code), await server.link("host", code)
        posted = await server.must(code, "audience", ticket, "message:post", text="질문", asked=True)
        await server.must(code, "host", host, "question:pick", message=posted["seq"])
        await server.must(code, "host", host, "question:air", message=posted["seq"])
        await server.must(code, "host", host, "question:finish", message=posted["seq"])
        await server.must(code, "host", host, "hall:close")
        status, ack = await server.send(code, "audience", ticket, "message:post", text="늦은 글")
        assert (status, ack["error"]["code"]) == (409, "hall_closed")
