"""The record as files: JSON Lines, CSV for Excel, and a report to read and to print."""

import asyncio
import csv
import html
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from aiohttp import web

from moderation.hall import Hall
from moderation.poll import Poll
from moderation.record import differences, poll_row, question_row, questions, records, sums
from protocol import wire
from protocol.credentials import key_hex, key_words, public_key
from protocol.names import Language
from protocol.refusals import Refusal
from protocol.sentences import section
from server.csv_files import cell
from server.halls.replay import replay
from server.http.context import Context
from server.http.replies import bearer, no
from server.http.security import headers
from server.http.well_known import pages_hash
from server.store.client import StoreRefused, StoreUnavailable

log = structlog.get_logger()

COLUMNS = (
    "id",
    "text",
    "at",
    "pseudonym",
    "fate",
    "department",
    "director",
    "support",
    "aired_at",
    "offset_s",
    "answered_how",
    "answered_at",
    "answer",
    "due",
    "reason",
    "note",
    "into",
)
POLL_COLUMNS = ("id", "text", "opened_at", "closed_at", "voters", "choice", "count")
CHUNK_BYTES = 65_536
"""Written at once; others are served in between."""


def jsonl(hall: Hall) -> Iterator[bytes]:
    """One JSON object a line: the town hall, messages in order, polls, sums."""
    for record in records(hall):
        yield wire.dumps(record) + b"\n"


def questions_csv(hall: Hall, zone: ZoneInfo, lang: Language) -> Iterator[bytes]:
    """Questions with fates and times, one a row."""
    words = section(lang, "record")
    return _csv(COLUMNS, words["columns"], _question_rows(hall, zone, lang))


def _question_rows(hall: Hall, zone: ZoneInfo, lang: Language) -> Iterator[dict[str, Any]]:
    words = section(lang, "record")
    for message in questions(hall):
        row = question_row(hall, message, lang)
        for column in ("at", "aired_at", "answered_at"):
            row[column] = _minute(row[column], zone) if row[column] is not None else None
        row["fate"] = words["fate"][row["fate"]]
        row["reason"] = words["decline"][row["reason"]] if row["reason"] else None
        row["answered_how"] = words["how"][row["answered_how"]] if row["answered_how"] else None
        yield row


def polls_csv(hall: Hall, zone: ZoneInfo, lang: Language) -> Iterator[bytes]:
    """Polls, one choice a row; without figures where a poll has none."""
    return _csv(POLL_COLUMNS, section(lang, "record")["poll_columns"], _poll_rows(hall, zone))


def _poll_rows(hall: Hall, zone: ZoneInfo) -> Iterator[dict[str, Any]]:
    for poll in hall.polls.values():
        row = poll_row(poll)
        for column in ("opened_at", "closed_at"):
            row[column] = _minute(row[column], zone) if row[column] is not None else None
        for place, choice in enumerate(poll.choices):
            yield {**row, "choice": choice, "count": poll.counts[place] if poll.counts else None}


def _csv(columns: Sequence[str], heads: Mapping[str, str], rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """UTF-8 with BOM so that Excel shows Korean."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([heads[column] for column in columns])
    yield b"\xef\xbb\xbf"
    for row in rows:
        writer.writerow(["" if row.get(column) is None else cell(str(row[column])) for column in columns])
        yield out.getvalue().encode()
        out.seek(0)
        out.truncate()
    yield out.getvalue().encode()


def _minute(at: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(at, zone).strftime("%Y-%m-%d %H:%M")


REPORT_CSP = "default-src 'none'; style-src 'unsafe-inline'"
STYLE = """
:root{color-scheme:light}body{font:16px/1.65 Pretendard,"Apple SD Gothic Neo","Malgun Gothic","Noto Sans KR",
"Noto Sans CJK KR",sans-serif;color:#1c2530;max-width:52rem;margin:0 auto;padding:2rem 1.25rem;word-break:keep-all;
overflow-wrap:anywhere}h1{font-size:1.7rem;line-height:1.3;margin:0 0 .25rem}h2{font-size:1.15rem;margin:2.5rem 0 .75rem;
border-bottom:2px solid #123a4a;padding-bottom:.3rem}p.meta{color:#51606e;margin:.1rem 0}table{border-collapse:collapse;
width:100%}th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid #d9dfe4;vertical-align:top}td.n{text-align:
right;font-variant-numeric:tabular-nums}td.hash{font-family:ui-monospace,monospace;font-size:.8rem;
word-break:break-all}article{border:1px solid #d9dfe4;border-radius:.6rem;padding:.9rem 1.1rem;margin:
.8rem 0;break-inside:avoid}article p{margin:.2rem 0;white-space:pre-wrap}article .fate{font-weight:600;color:#123a4a}
article .answer{border-left:3px solid #1f6f78;padding-left:.8rem;margin-top:.5rem}.interim{background:#fff3d6;padding:
.6rem .9rem;border-radius:.5rem}@media print{body{padding:0}h2{break-after:avoid}}
"""


def report(hall: Hall, zone: ZoneInfo, lang: Language) -> Iterator[bytes]:
    """A self-contained page to read and to print: figures, every question with what became of it, every poll."""
    words = section(lang, "record")
    esc = html.escape
    figures = sums(hall)

    def when(at: int | None) -> str:
        return _minute(at, zone) if at is not None else "-"

    title = esc(hall.setup.title)
    yield (
        f'<!doctype html>\n<html lang="{lang}"><head><meta charset="utf-8">'
        # Opened from a disk there are no headers: the page itself says that nothing may run or be fetched.
        f'<meta http-equiv="Content-Security-Policy" content="{REPORT_CSP}">'
        f'<meta name="viewport" content="width=device-width"><title>{title}</title><style>{STYLE}</style></head><body>'
        f"<h1>{title}</h1>"
        f'<p class="meta">{words["code"]} {esc(hall.code)} · {when(hall.opened_at)} – {when(hall.closed_at)}</p>'
    ).encode()
    if hall.phase != "closed":
        yield f'<p class="interim">{words["interim"]}</p>'.encode()
    rows = [(words["received"], figures["received"]), (words["visible"], figures["visible"])]
    rows.append((words["held"], figures["held"]))
    rows += [(f"{words['removed']}: {words['removal'][r]}", n) for r, n in figures["removed"].items()]
    rows += [(f"{words['question']}: {words['fate'][f]}", n) for f, n in figures["questions"].items()]
    body = "".join(f'<tr><td>{esc(name)}</td><td class="n">{count:,}</td></tr>' for name, count in rows)
    yield f"<h2>{words['figures']}</h2><table>{body}</table><h2>{words['questions']}</h2>".encode()
    for message in questions(hall):
        row = question_row(hall, message, lang)
        who = " · ".join(esc(str(row[k])) for k in ("department", "director") if row.get(k))
        fate = words["fate"][row["fate"]]
        if row["due"]:
            fate += f" ({words['due'].format(due=row['due'])})"
        if row["into"]:
            fate += f" → {row['into']}"
        if row["reason"]:
            fate += f": {words['decline'][row['reason']]}"
        answer = ""
        if row["answer"]:
            answer = f'<div class="answer"><p>{esc(row["answer"])}</p></div>'
        elif row["answered_how"] == "live" and row["offset_s"] is not None:
            answer = f'<p class="meta">{words["live_at"].format(time=_clock(row["offset_s"]))}</p>'
        note = f'<p class="meta">{esc(row["note"])}</p>' if row["note"] else ""
        yield (
            f'<article id="q{message.id}"><p class="meta">{message.id} · {when(row["at"])}'
            f"{' · ' + esc(str(row['pseudonym'])) if 'pseudonym' in row else ''}</p><p>{esc(row['text'] or '')}</p>"
            f'<p><span class="fate">{esc(fate)}</span>{" · " + who if who else ""}</p>{note}{answer}</article>'
        ).encode()
    if hall.polls:
        yield f"<h2>{words['polls']}</h2>".encode()
    for poll in hall.polls.values():
        yield _poll(poll, words, when).encode()
    checks = [(words["audit_hash"], hall.chain), (words["pages_hash"], pages_hash())]
    if hall.admission is not None:
        spki = public_key(hall.admission.issuer)
        checks += [(words["issuer_words"], " · ".join(key_words(spki, lang))), (words["issuer_hex"], key_hex(spki))]
    listed = "".join(f'<tr><td>{esc(name)}</td><td class="hash">{esc(value)}</td></tr>' for name, value in checks if value)
    yield f'<h2>{words["checks"]}</h2><p class="meta">{words["checks_how"]}</p><table>{listed}</table>'.encode()
    yield f'<p class="meta">{words["promise"]}</p></body></html>\n'.encode()


def _poll(poll: Poll, words: Mapping[str, Any], when: Callable[[int | None], str]) -> str:
    """One poll with what came of it."""
    row, esc = poll_row(poll), html.escape
    how = words["poll_open"] if poll.open else words["poll_few"]
    if poll.counts is not None and poll.voters is not None:
        how = words["poll_voters"].format(count=f"{poll.voters:,}")
        figures = [f"{count:,} ({100 * count / poll.voters:.1f} %)" for count in poll.counts]
    else:
        figures = [""] * len(poll.choices)
    shown = "".join(
        f'<tr><td>{esc(choice)}</td><td class="n">{figure}</td></tr>'
        for choice, figure in zip(poll.choices, figures, strict=True)
    )
    return (
        f'<article id="p{poll.id}"><p class="meta">{words["poll"].format(id=poll.id)} · {when(row["opened_at"])} – '
        f"{when(row['closed_at'])}</p><p>{esc(poll.question)}</p><table>{shown}</table>"
        f'<p><span class="fate">{how}</span></p></article>'
    )


def _clock(seconds: int) -> str:
    return f"{seconds // 3600}:{seconds % 3600 // 60:02}:{seconds % 60:02}"


FORMATS: dict[str, tuple[str, Callable[[Hall, ZoneInfo, Language], Iterator[bytes]]]] = {
    "record.jsonl": ("application/jsonl", lambda hall, _, __: jsonl(hall)),
    "questions.csv": ("text/csv", questions_csv),
    "polls.csv": ("text/csv", polls_csv),
    "report.html": ("text/html", report),
}


def routes(context: Context) -> list[web.RouteDef]:
    """`GET /api/v1/halls/CODE/export/NAME?lang=`, for the organiser. Without `lang`: in the town hall's language."""
    zone = ZoneInfo(context.settings.time_zone)

    async def export(request: web.Request) -> web.StreamResponse:
        if not context.gateway.admission.is_organiser(bearer(request)):
            return no(Refusal("not_admitted"), request)
        runtime = await context.gateway.find(request.match_info["code"])
        if isinstance(runtime, Refusal):
            return no(runtime, request)
        name = request.match_info["name"]
        if name not in FORMATS:
            raise web.HTTPNotFound
        try:
            hall = await replay(context.store, runtime.code)
        except (StoreUnavailable, StoreRefused):
            return no(Refusal("not_saved", retry_after_ms=1_000), request)
        for id, count in runtime.board.support.items() if hall.phase == "closed" else ():
            # What an entry has frozen stays; of all others the figure with which the town hall ended.
            if (message := hall.messages.get(id)) and message.is_question and message.support is None:
                message.support = count
        log.info("record_exported", hall=hall.code)
        if differences(hall):
            log.error("record_differs", hall=hall.code)
        kind, write = FORMATS[name]
        asked = request.query.get("lang")
        lang: Language = "ko" if asked == "ko" else "en" if asked == "en" else hall.setup.language
        interim = "" if hall.phase == "closed" else "-interim"
        response = web.StreamResponse(
            headers={
                **headers("api"),
                "Content-Type": f"{kind}; charset=utf-8",
                "Content-Disposition": f'attachment; filename="{hall.code}{interim}-{name}"',
            }
        )
        await response.prepare(request)
        waiting = bytearray()
        for chunk in write(hall, zone, lang):
            waiting += chunk
            if len(waiting) >= CHUNK_BYTES:
                await response.write(bytes(waiting))
                await asyncio.sleep(0)
                waiting.clear()
        await response.write(bytes(waiting))
        await response.write_eof()
        return response

    return [web.get("/api/v1/halls/{code}/export/{name}", export)]
