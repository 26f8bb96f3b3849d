"""A handful of simulated employees who chat calmly: `python -m loadtests.demo_crowd URL CODE`. Ends by itself."""

import asyncio
import contextlib
import os
import random
import sys
from uuid import uuid4

import aiohttp

from loadtests.client import Client, NotAdmitted
from loadtests.corpus import distinct
from loadtests.entry import enter

PEOPLE = 6
MESSAGES = 400
"""Most messages of one run: about half an hour."""
PAUSE_S = (2.5, 7.0)
FIRST = 8
"""Messages that come at once, so that a newcomer sees life."""


async def chat(url: str, code: str) -> None:
    """Post from PEOPLE tickets, support some questions, until MESSAGES are through or the town hall closes."""
    chance = random.Random()
    texts = distinct(MESSAGES, seed=chance.randrange(1_000))
    questions: list[int] = []

    def heard(name: str, body: object) -> None:
        if isinstance(body, dict):
            questions.extend(f["id"] for f in body.get("entries", ()) if f.get("k") == "message" and "fate" in f)
            del questions[:-50]

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        people = [Client(session, url, code, "audience", await enter(session, url, code), heard) for _ in range(PEOPLE)]
        for person in people:
            await person.connect()
        for number, message in enumerate(texts):
            if os.getppid() == 1:
                return  # the server is gone
            person = chance.choice(people)
            with contextlib.suppress(TimeoutError, ConnectionError, NotAdmitted, aiohttp.ClientError):
                if not person.connected:
                    await person.connect()
                ack = await person.call(
                    "message:post",
                    {"client_id": uuid4().hex, "text": message.text, "asked": message.kind == "question"},
                )
                if not ack["ok"] and ack["error"]["code"] == "hall_closed":
                    return
                for question in chance.sample(questions, k=min(2, len(questions))):
                    await chance.choice(people).call("question:support", {"message": question, "on": True})
            await asyncio.sleep(0.3 if number < FIRST else chance.uniform(*PAUSE_S))


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt, aiohttp.ClientError, NotAdmitted):
        asyncio.run(chat(sys.argv[1], sys.argv[2]))
