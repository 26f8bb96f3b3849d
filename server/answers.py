"""The one place where refusals become what a client sees: an Ack with a sentence in its language."""

from typing import Any

from protocol.closings import CLOSINGS
from protocol.frames import Ack, Bye, ErrorBody
from protocol.names import Language
from protocol.refusals import REFUSALS, Refusal
from protocol.sentences import section, sentence
from server import metrics

_WORDS = {"reason": "mute", "state": "state", "fate": "fate"}
"""Parameters that are codes themselves, and the part of section `common` that says them."""


def refused(refusal: Refusal, lang: Language) -> Ack:
    """`{ok: false, error: {code, message, temporary, field, retry_after_ms}}`."""
    metrics.REFUSALS.labels(refusal.code).inc()
    common = section(lang, "common")
    params = {
        name: common.get(_WORDS[name], {}).get(value, value) if name in _WORDS else value
        for name, value in refusal.params.items()
    }
    return Ack(
        ok=False,
        error=ErrorBody(
            code=refusal.code,
            message=sentence(lang, "refusal", refusal.code, field=refusal.field or "$", **params),
            temporary=REFUSALS[refusal.code].temporary,
            field=refusal.field,
            retry_after_ms=refusal.retry_after_ms,
        ),
    )


def accepted(seq: int | None = None, state: str | None = None, data: Any = None) -> Ack:
    """`{ok: true, seq, …}`."""
    return Ack(ok=True, seq=seq, state=state, data=data)


def status(ack: Ack) -> int:
    """HTTP status of an Ack."""
    return 200 if ack.error is None else REFUSALS[ack.error.code].status


def bye(code: int, come_back_after_ms: int | None, lang: Language) -> Bye:
    """What goes before a close."""
    reason = CLOSINGS[code]
    return Bye(
        code=code,
        reason=reason,
        message=sentence(lang, "closing", reason),
        come_back_after_ms=come_back_after_ms,
    )
