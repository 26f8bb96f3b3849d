"""Invitations to hand out: slips to print, a CSV to merge into letters, mail."""

import csv
import html
import io
from collections.abc import Sequence
from datetime import date
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

import segno

from protocol.names import Language
from protocol.sentences import sentence
from server.csv_files import cell
from server.issuer.eligibility import Issuance
from server.issuer.invitations import Invitation

STYLE = """
@page { size: A4; margin: 12mm }
body { font: 10.5pt/1.5 "Noto Sans KR", "Malgun Gothic", sans-serif; margin: 0; color: #000 }
.slips { display: grid; grid-template-columns: 1fr 1fr; gap: 0 }
.slip { break-inside: avoid; border: 1px dashed #888; padding: 6mm; display: grid; grid-template-columns: 1fr 30mm; gap: 4mm }
.slip h2 { font-size: 12pt; margin: 0 0 1mm } .slip p { margin: 0 0 1.5mm }
.slip svg { width: 30mm; height: 30mm } .code { font: 700 10.5pt ui-monospace, monospace; letter-spacing: .03em }
.small { font-size: 8.5pt; color: #333 } .url { word-break: break-all }
"""


def say(issuance: Issuance, key: str, /, **params: object) -> str:
    """A sentence of section `invitation` in the town hall's language."""
    return sentence(issuance.language, "invitation", key, **params)


def printed(issuance: Issuance, made: Sequence[Invitation]) -> bytes:
    """A page made for print: a slip for each, to be cut apart. Holds everything it needs; asks nobody for anything."""
    esc = html.escape
    lang: Language = issuance.language
    slips = []
    for one in made:
        address, _, _ = one.url.partition("#")
        slips.append(
            '<section class="slip"><div>'
            f"<h2>{esc(issuance.title)}</h2>"
            f"<p>{esc(one.guest.name or one.guest.address)}</p>"
            f"<p class='small'>{esc(say(issuance, 'scan'))}</p>"
            f'<p class="small url">{esc(address)}</p>'
            f'<p class="code">{esc(one.secret)}</p>'
            f'<p class="small">{esc(say(issuance, "once"))} {esc(say(issuance, "unseen"))}</p>'
            f"</div>{_qr(one.url)}</section>"
        )
    head = f'<meta charset="utf-8"><title>{esc(issuance.title)}</title><style>{STYLE}</style>'
    body = f'<div class="slips">{"".join(slips)}</div>'
    return f'<!doctype html><html lang="{lang}"><head>{head}</head><body>{body}</body></html>'.encode()


def merged(made: Sequence[Invitation]) -> bytes:
    """A CSV to merge into letters or mail; UTF-8 with BOM so that Excel shows Korean."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(["name", "address", "link", "code"])
    writer.writerows([cell(one.guest.name), cell(one.guest.address), one.url, one.secret] for one in made)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def letter(issuance: Issuance, one: Invitation, sender: str) -> EmailMessage:
    """The mail to one guest, as plain text. Raises ValueError where a name or an address cannot stand in a header."""
    message = EmailMessage(policy=SMTP)
    name, _, host = one.guest.address.rpartition("@")
    message["From"] = sender
    message["To"] = Address(one.guest.name, name, host)
    message["Subject"] = say(issuance, "subject", title=issuance.title)
    message["Auto-Submitted"] = "auto-generated"
    until = date.fromtimestamp(issuance.closes_at).isoformat()
    greeting = say(issuance, "dear", name=one.guest.name) + "\n\n" if one.guest.name else ""
    text = say(issuance, "letter", title=issuance.title, url=one.url, code=one.secret, until=until)
    message.set_content(f"{greeting}{text}\n")
    return message


def _qr(text: str) -> str:
    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(out, kind="svg", border=2, xmldecl=False, svgns=True, omitsize=True)
    return out.getvalue().decode()
