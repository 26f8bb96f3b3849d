"""docs/reference/codes.md."""

from protocol.closings import CLOSINGS, comes_back
from protocol.refusals import REFUSALS
from protocol.sentences import section
from tools.reference.table import table


def page() -> str:
    """Refusals and close codes, with their sentences."""
    refusals = [
        (f"`{code}`", kind.status, "yes" if kind.temporary else "no", *_sentences("refusal", code))
        for code, kind in REFUSALS.items()
    ]
    closings = [
        (code, f"`{reason}`", "yes" if comes_back(code) else "no", *_sentences("closing", reason))
        for code, reason in CLOSINGS.items()
    ]
    return (
        "# Codes\n\n"
        "## Refusals\n\n"
        "A refused command changed nothing (`unknown_outcome`: ask again with the same client id, then you know). It is\n"
        "answered with `{ok: false, error: {code, message}}`; the message is the sentence below, in the language asked for when\n"
        'joining. "Repeat": sending the same command again later, with the same client id, can help. The status is that\n'
        "of the POST interface.\n\n" + table(("code", "status", "repeat", "English", "Korean"), refusals) + "\n## Close codes\n\n"
        "Before the server closes a connection it sends `bye` with one of these and the time after which to come back.\n"
        "3000 to 3499: connect again by yourself after that time. 3500 to 3999: do not, until what is named is mended.\n\n"
        + table(("code", "reason", "comes back", "English", "Korean"), closings)
    )


def _sentences(name: str, key: str) -> tuple[str, str]:
    """English and Korean, with the placeholders as they stand in the catalogue."""
    return section("en", name)[key], section("ko", name)[key]
