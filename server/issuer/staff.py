"""Staff by single sign-on: which claim gives which role, and the grant that the browser carries to the chat."""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from protocol.grants import GRANT_S, LABEL_LETTERS, Grant, GrantedRole, signed, written
from server.secret import Secret
from server.settings import STAFF_RULE

NAMES = ("name", "preferred_username", "email")
"""Claims from which a label is taken, the first that is there."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Whoever has `value` in the claim is `role`. `id`: which host or director of the setup; "": a moderator."""

    value: str
    role: GrantedRole
    id: str


def rule(text: str) -> Rule:
    """`VALUE=host`, `VALUE=host:ID`, `VALUE=director:ID`, as settings.py has found it to be."""
    found = STAFF_RULE.fullmatch(text)
    assert found is not None
    return Rule(found["value"], "director" if found["role"] == "director" else "host", found["id"] or "")


class StaffGrants:
    """Signs, with a key that is for this alone. `clock`: unix seconds."""

    def __init__(self, secret: Secret, rules: Iterable[str], clock: Callable[[], float] = time.time) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(secret.key("staff-grant"))
        self._holder = secret.key("staff-holder")
        self._rules = [rule(text) for text in rules]
        self._clock = clock

    def __repr__(self) -> str:
        return "StaffGrants(…)"

    @property
    def public(self) -> bytes:
        """Ed25519 public key, 32 bytes; b"" where single sign-on gives no roles."""
        return self._key.public_key().public_bytes_raw() if self._rules else b""

    def granted(self, code: str, wanted: str, claims: Mapping[str, Any], values: Sequence[str]) -> tuple[Grant, str] | None:
        """What somebody with these claims is in the town hall `code`, and the grant of it; None: no staff.

        `wanted`: a role, or "" for the first that fits. `values`: of the claim that says so.
        """
        fitting = (one for one in self._rules if one.value in values and wanted in ("", one.role))
        found = next(fitting, None)
        if found is None:
            return None
        who = f"{code}|{claims['iss']}|{claims['sub']}".encode()
        grant = Grant(
            code=code,
            role=found.role,
            id=found.id,
            label=_label(claims) or found.role,
            holder=hmac.digest(self._holder, who, hashlib.sha256)[:16].hex(),
            made=secrets.token_hex(4),
            until=int(self._clock()) + GRANT_S,
        )
        return grant, written(grant, self._key.sign(signed(grant)))


def _label(claims: Mapping[str, Any]) -> str:
    """How the log will call them; whatever it says is text, here and on every page."""
    for name in NAMES:
        told = claims.get(name)
        if isinstance(told, str) and (found := " ".join("".join(c for c in told if c.isprintable()).split())):
            return found[:LABEL_LETTERS]
    return ""
