"""What somebody could try who holds all that both servers ever held: order, time, equality, algebra. Guesses are scored."""

import base64
import hashlib
import importlib
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from loadtests.blinding import pss_encoded


@dataclass(frozen=True, slots=True)
class Signing:
    """Memory of one admission. `at`: unix seconds; `told`: what else the requests carried, as an invitation's code, cookies,
    the account at the provider, the mail address.
    """

    person: str
    at: float
    blinded: bytes
    answer: bytes
    told: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Showing:
    """Memory of one redemption. `token`: what a right guess names; `tag`: of the participant that it became."""

    token: bytes
    at: float
    prepared: bytes
    signature: bytes
    device_key: bytes
    tag: str = ""


@dataclass(slots=True)
class Hoard:
    """All that there is. `copies`: (second, {file: content}) of both servers' folders, logs and settings among them.

    `logs`: all lines of both, the issuer's first. `spoken`: tags in the order in which participants first posted. `rounds`:
    when each of them began; `few`: which of those were only for whoever will come in with few.
    """

    key: RSAPrivateKey
    signings: list[Signing] = field(default_factory=list)
    showings: list[Showing] = field(default_factory=list)
    copies: list[tuple[float, dict[str, bytes]]] = field(default_factory=list)
    logs: bytes = b""
    spoken: list[str] = field(default_factory=list)
    rounds: list[float] = field(default_factory=list)
    few: set[float] = field(default_factory=set)


gmpy2: Any = importlib.import_module("gmpy2")  # it has no types
Guess = dict[str, bytes]
"""{person: token}"""


def by_order(hoard: Hoard) -> Guess:
    """Who was signed first showed first."""
    signings = sorted(hoard.signings, key=lambda one: one.at)
    showings = sorted(hoard.showings, key=lambda one: one.at)
    return {signing.person: showing.token for signing, showing in zip(signings, showings, strict=False)}


def by_time(hoard: Hoard) -> Guess:
    """The next token that was shown after a signing, each once, the latest signing first."""
    free = sorted(hoard.showings, key=lambda one: one.at)
    guess: Guess = {}
    for signing in sorted(hoard.signings, key=lambda one: -one.at):
        after = next((showing for showing in free if showing.at >= signing.at), None)
        if after is not None:
            free.remove(after)
            guess[signing.person] = after.token
    return guess


def by_place_in_files(hoard: Hoard) -> Guess:
    """Who stands first in the issuer's last copy stands first in the chat's."""
    ledger = b"".join(content for name, content in sorted(hoard.copies[-1][1].items()) if "ledger" in name)
    store = b"".join(content for name, content in sorted(hoard.copies[-1][1].items()) if "valkey" in name)
    people = sorted(hoard.signings, key=lambda one: _place(ledger, hashlib.sha256(one.blinded).digest()))
    written = _places(store)
    tokens = sorted(hoard.showings, key=lambda one: written.get(one.token, len(store)))
    return {signing.person: showing.token for signing, showing in zip(people, tokens, strict=False)}


def by_copies(hoard: Hoard) -> Guess:
    """Who first stands in a copy of the ledger is matched to who first stands in the copy of the store soonest after."""
    rows = {signing.person: hashlib.sha256(signing.blinded).digest() for signing in hoard.signings}
    at = _first(hoard, "ledger", rows.values())
    first_row = {person: at[row] for person, row in rows.items()}
    first_token = _first(hoard, "valkey", [showing.token for showing in hoard.showings])
    people = sorted(first_row, key=lambda person: first_row[person])
    tokens = sorted(first_token, key=lambda token: first_token[token])
    return dict(zip(people, tokens, strict=False))


def by_equality(hoard: Hoard) -> Guess:
    """Something of the signing stands in the showing, as it is or opened with the private key."""
    public = hoard.key.public_key().public_numbers()
    seen: dict[bytes, bytes] = {}
    for showing in hoard.showings:
        opened = pow(int.from_bytes(showing.signature), public.e, public.n).to_bytes(len(showing.signature))
        for value in (showing.signature, opened, showing.prepared, showing.device_key, showing.prepared[-32:]):
            seen[value] = showing.token
            seen[hashlib.sha256(value).digest()] = showing.token
    guess: Guess = {}
    for signing in hoard.signings:
        told = (signing.blinded, signing.answer, *signing.told)
        for value in (*told, *(hashlib.sha256(one).digest() for one in told)):
            if value in seen:
                guess[signing.person] = seen[value]
    return guess


def by_first_words(hoard: Hoard) -> Guess:
    """Who was signed first spoke first."""
    tokens = {showing.tag: showing.token for showing in hoard.showings}
    signings = sorted(hoard.signings, key=lambda one: one.at)
    return {signing.person: tokens[tag] for signing, tag in zip(signings, hoard.spoken, strict=False)}


def by_round(hoard: Hoard) -> Guess:
    """Within each round: who was signed since the one before, in order, against the tokens shown in it, in order."""
    guess: Guess = {}
    signings = sorted(hoard.signings, key=lambda one: one.at)
    showings = sorted(hoard.showings, key=lambda one: one.at)
    before = -math.inf
    for begin, end in zip(hoard.rounds, [*hoard.rounds, math.inf][1:], strict=True):
        signed = [one for one in signings if before <= one.at < begin]
        shown = [one for one in showings if begin <= one.at < end]
        guess |= {one.person: other.token for one, other in zip(signed, shown, strict=False)}
        before = begin
    return guess


def by_who_is_left(hoard: Hoard) -> Guess:
    """Round by round: of all who were signed before and not matched yet, who was first against the tokens shown, in order."""
    guess: Guess = {}
    signings = sorted(hoard.signings, key=lambda one: one.at)
    showings = sorted(hoard.showings, key=lambda one: one.at)
    for begin, end in zip(hoard.rounds, [*hoard.rounds, math.inf][1:], strict=True):
        left = [one for one in signings if one.at < begin and one.person not in guess]
        shown = [one for one in showings if begin <= one.at < end]
        guess |= {one.person: other.token for one, other in zip(left, shown, strict=False)}
    return guess


def by_large_round(hoard: Hoard) -> Guess:
    """As by_round, with the rounds for few left out: whoever was signed since the last large one may have waited for this."""
    large = [begin for begin in hoard.rounds if begin not in hoard.few]
    small = [(begin, end) for begin, end in zip(hoard.rounds, [*hoard.rounds, math.inf][1:], strict=True) if begin in hoard.few]
    shown = [one for one in hoard.showings if not any(begin <= one.at < end for begin, end in small)]
    return by_round(Hoard(hoard.key, hoard.signings, shown, rounds=large))


def by_logs(hoard: Hoard) -> Guess:
    """A line names somebody, and that or the next one to do so names a token; hashes and encodings are tried."""
    people = {
        form: one.person for one in hoard.signings for value in (one.blinded, one.answer, *one.told) for form in forms(value)
    }
    tokens = {
        form: one.token
        for one in hoard.showings
        for value in (one.token, one.prepared, one.signature, one.device_key, one.tag.encode())
        for form in forms(value)
    }
    guess: Guess = {}
    somebody = ""
    for line in hoard.logs.splitlines():
        words = _WORDS.findall(line)
        somebody = next((people[word] for word in words if word in people), somebody)
        token = next((tokens[word] for word in words if word in tokens), None)
        if somebody and token is not None:
            guess[somebody], somebody = token, ""
    return guess


def forms(value: bytes) -> tuple[bytes, ...]:
    """How a value may be written in a line of text."""
    digest = hashlib.sha256(value).digest()
    texts = [f for raw in (value, digest) for f in (raw.hex().encode(), base64.urlsafe_b64encode(raw).rstrip(b"="))]
    return (value, *texts, *(text[:16] for text in texts)) if value else ()


_WORDS: Final = re.compile(rb"[A-Za-z0-9@._-]{4,}")


def by_algebra(hoard: Hoard, most: int = 40) -> Guess:
    """The one token for which a blinding exists that leads from this signing to it; several: none is told apart."""
    public = hoard.key.public_key().public_numbers()
    n, e = gmpy2.mpz(public.n), public.e
    inverses = [(one.token, gmpy2.mpz(int.from_bytes(one.signature))) for one in hoard.showings]
    guess: Guess = {}
    for signing in hoard.signings[:most]:
        z, answer = gmpy2.mpz(int.from_bytes(signing.blinded)), gmpy2.mpz(int.from_bytes(signing.answer))
        fitting = []
        for token, s in inverses:
            r = answer * gmpy2.invert(s, n) % n
            if gmpy2.powmod(s, e, n) * gmpy2.powmod(r, e, n) % n == z and r != 1:
                fitting.append(token)
        if len(fitting) == 1:
            guess[signing.person] = fitting[0]
        elif signing.answer in {showing.signature for showing in hoard.showings}:
            guess[signing.person] = next(one.token for one in hoard.showings if one.signature == signing.answer)
    return guess


ATTACKS = {
    attack.__name__: attack
    for attack in (
        by_order,
        by_time,
        by_place_in_files,
        by_copies,
        by_equality,
        by_algebra,
        by_round,
        by_who_is_left,
        by_large_round,
        by_first_words,
        by_logs,
    )
}


def score(guess: Guess, truth: Guess) -> int:
    """Right guesses."""
    return sum(truth.get(person) == token for person, token in guess.items())


def interval(right: int, of: int) -> tuple[float, float]:
    """95 % confidence interval of a rate (Wilson, 1927)."""
    z, rate = 1.96, right / of
    middle = (rate + z * z / (2 * of)) / (1 + z * z / of)
    half = z * math.sqrt(rate * (1 - rate) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return max(0.0, middle - half), min(1.0, middle + half)


def by_chance(of: int, unlikely: float = 1e-4, groups: int = 1) -> int:
    """Most right guesses that chance gives, but once in 10,000 times.

    A random matching has one right on average, however many there are (Poisson): `groups` matched apart have one each.
    """
    below, count, term = 0.0, 0, math.exp(-groups)
    while below + term < 1 - unlikely:
        below += term
        count += 1
        term *= groups / count
    return min(count, of)


_WRITTEN = re.compile(rb"\$32\r\n(.{32})\r\n", re.DOTALL)
"""A value of 32 bytes in an append-only file (RESP): what tokens and ledger rows are."""


def _place(file: bytes, value: bytes) -> int:
    found = file.find(value)
    return found if found >= 0 else len(file)


def _places(file: bytes) -> dict[bytes, int]:
    """Where each value was first written."""
    found: dict[bytes, int] = {}
    for match in _WRITTEN.finditer(file):
        found.setdefault(match[1], match.start())
    return found


def _first(hoard: Hoard, which: str, values: Iterable[bytes]) -> dict[bytes, float]:
    """The time of the first copy in which each of `values` stands."""
    missing, found = set(values), dict[bytes, float]()
    before = b""
    for at, files in hoard.copies:
        content = b"".join(content for name, content in sorted(files.items()) if which in name)
        if content == before:
            continue
        before = content
        written = _places(content) if which == "valkey" else None
        here = {value for value in missing if (value in content if written is None else value in written)}
        found |= dict.fromkeys(here, at)
        missing -= here
    return found | dict.fromkeys(missing, math.inf)


def unblinded(prepared: bytes, bits: int, salt: bytes) -> bytes:
    """What a broken browser would send: the message itself, encoded."""
    return pss_encoded(prepared, bits - 1, salt)
