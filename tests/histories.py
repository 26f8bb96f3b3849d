"""Random histories: sensible and nonsensical commands of all roles, from a seed."""

import random
from typing import Any

from protocol import commands as c
from tests.town import D1, D2, HOST, HOST_2, ORGANISER, Town, employee

WORDS = ["예산", "버스", "승진", "휴가", "식당", "주차", "당직", "교육", "😀", "<b>", "언제", "왜", "입니까"]


def play(town: Town, steps: int, seed: int) -> None:
    """Let `steps` commands happen to `town`; what is refused changes nothing."""
    chance = random.Random(seed)
    for number in range(steps):
        town.now += chance.choice([0, 0, 1, 5])
        kind, fields, actor = _command(chance, town, number)
        tally = [chance.randrange(6) for _ in town.hall.polls[town.hall.open_poll].choices] if town.hall.open_poll else None
        town.do(actor, kind, support={fields.get("message") or 0: chance.randrange(50)}, tally=tally, **fields)


def _polls(chance: random.Random, town: Town, host: Any) -> list[tuple[type[c.Command], dict[str, Any], Any]]:
    choices = chance.sample(WORDS, k=chance.randrange(2, 7))
    newest = max(town.hall.polls, default=1)
    return [
        (c.OpenPoll, {"question": f"투표 {chance.choice(WORDS)}", "choices": choices}, host),
        (c.ClosePoll, {"poll": town.hall.open_poll or newest}, host),
        (c.SetPoll, {"on": chance.random() < 0.6}, host),
    ]


def _command(chance: random.Random, town: Town, number: int) -> tuple[type[c.Command], dict[str, Any], Any]:
    if chance.random() < 0.45 or not town.hall.messages:
        text = " ".join(chance.choices(WORDS, k=chance.randrange(1, 6))) + f" 글{number}끝"
        if chance.random() < 0.1:
            text += " 010-1234-5678"
        return c.PostMessage, {"text": text, "asked": chance.random() < 0.4}, employee(chance.randrange(1, 7))
    ids = list(town.hall.messages)
    id = chance.choice(ids[-12:]) if chance.random() < 0.8 else chance.choice(ids)
    host = chance.choice([HOST, HOST, HOST_2])
    director = chance.choice([D1, D2])
    options: list[tuple[type[c.Command], dict[str, Any], Any]] = [
        (c.PickMessage, {"message": id}, host),
        (c.RouteQuestion, {"message": id, "director": chance.choice(["d1", "d2", None])}, host),
        (c.RouteQuestion, {"message": id, "director": chance.choice(["d1", "d2"])}, host),
        (c.AirQuestion, {"message": town.hall.queue[0] if town.hall.queue else id}, host),
        (c.FinishQuestion, {"message": town.hall.on_air or id}, chance.choice([host, director])),
        (c.AcceptQuestion, {"message": id}, director),
        (c.ReturnQuestion, {"message": id, "reason": "소관 아님"}, director),
        (c.StartAnswer, {"message": town.hall.on_air or id}, director),
        (c.DeferQuestion, {"message": id, "due": "2026-12-01", "note": "검토"}, chance.choice([host, director])),
        (c.DeclineQuestion, {"message": id, "reason": "other"}, host),
        (c.AnswerInWriting, {"message": id, "text": "서면 답변"}, chance.choice([host, director])),
        (c.MergeQuestion, {"message": id, "into": chance.choice(ids[-12:])}, host),
        (c.SplitQuestion, {"message": id}, host),
        (c.UnpickQuestion, {"message": id}, host),
        (c.MoveQuestion, {"message": id, "position": chance.randrange(4)}, host),
        (c.ReturnToQueue, {"message": id}, host),
        (c.PreviewQuestion, {"message": chance.choice([id, None])}, host),
        (c.HoldMessage, {"message": id}, host),
        (c.PublishMessage, {"message": id}, host),
        (c.RemoveMessage, {"message": id, "reason": chance.choice(["abuse", "spam", "personal_data"])}, host),
        (c.RestoreMessage, {"message": id}, host),
        (c.EraseMessage, {"message": id}, host),
        (c.WithdrawMessage, {"message": id}, employee(chance.randrange(1, 7))),
        (c.UndoAct, {}, host),
        (c.UndoAct, {}, host),
        (c.MuteAuthor, {"message": id, "reason": "abuse", "seconds": 10}, host),
        (c.SlowChat, {"seconds": chance.choice([0, 0, 0, 3])}, host),
        (c.SetMode, {"mode": chance.choice(["open", "open", "reviewed"])}, host),
        (c.PauseChat if chance.random() < 0.1 else c.ResumeChat, {}, host),
        (c.ClearOverlay if chance.random() < 0.5 else c.ShowOverlay, {}, host),
        (c.SetTicker, {"on": chance.random() < 0.6}, host),
        *_polls(chance, town, host),
        (c.ConfigureHall, {"setup": town.hall.setup}, ORGANISER),
        (c.RenewLinks, {"role": "host"}, ORGANISER),
    ]
    return chance.choice(options)
