"""The issuer's work: make a town hall's key, sign once for each eligible person, destroy the key."""

import asyncio
import dataclasses
import hashlib
import hmac
import os
import secrets
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import structlog

from protocol.credentials import WAITING_TOKENS
from protocol.limits import limit
from protocol.names import Language
from protocol.refusals import Refusal
from protocol.setup import EligibilityKind
from server.issuer.blind import BlindSigner
from server.issuer.eligibility import Issuance
from server.issuer.entering import Entering
from server.issuer.issued import Asked, IssuedFiles
from server.issuer.key_files import KeyFiles
from server.issuer.ledger import Ledger
from server.issuer.raw_rsa import SigningFailed
from server.issuer.repeats import Repeats

log = structlog.get_logger()
T = TypeVar("T")

CODE_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""As the chat draws codes: without those that are mistaken for each other when read out."""
CODE_LENGTH = 6
DAY_S = 86_400
SWEEP_S = 60.0
"""How often it is looked for keys whose time is over."""


class _Signers(NamedTuple):
    """Of one town hall, loaded."""

    entry: BlindSigner
    waiting: BlindSigner | None
    pepper: bytes

    def sign(self, blinded: bytes, waiting: Sequence[bytes]) -> list[bytes]:
        """Blind signatures: the entry's, then those of the waiting tokens. Raises SigningFailed."""
        further = [self.waiting.sign(one) for one in waiting] if self.waiting is not None else []
        return [self.entry.sign(blinded), *further]


def _refused(signers: _Signers, blinded: bytes, waiting: Sequence[bytes]) -> Refusal | None:
    """Why these are not signed: a value that no honest blinding gives, a waiting token too many, or no key for it."""
    if refusal := signers.entry.refused(blinded):
        return refusal
    if len(waiting) > (WAITING_TOKENS if signers.waiting is not None else 0):
        return Refusal("bad_blinded", field="$.waiting")
    if any(signers.waiting is not None and signers.waiting.refused(one) for one in waiting):
        return Refusal("bad_blinded", field="$.waiting")
    return None


class Issuances:
    """`folder`: of the issuer alone. `clock`: unix seconds. All of the ledger happens on one thread, in the order of asking."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._clock = clock
        self._keys = KeyFiles(folder / "keys")
        self._books = ThreadPoolExecutor(1, "ledger")
        self._signing = ThreadPoolExecutor(os.cpu_count() or 1, "signing")
        self._ledger = Ledger(folder / "ledger.sqlite")
        self._issued = IssuedFiles(folder / "issued", self._keys.there)
        self._move_bound()
        self._entering = Entering(self._issued, self._books)
        self._signers: dict[str, _Signers] = {}
        self._repeats = Repeats(limit("signatures_repeated_per_min"))
        self._waiting = 0
        self._sweep: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to look for keys whose time is over. What was left half made, by a power cut, is made anew."""
        for unfinished in [issuance for issuance in await self.all() if not issuance.spki]:
            keys = await asyncio.get_running_loop().run_in_executor(self._signing, self._keys.make, unfinished.code)
            whole = dataclasses.replace(unfinished, spki=keys.entry, waiting_spki=keys.waiting)
            await self.on_ledger(partial(Ledger.replace, issuance=whole))
        self._sweep = asyncio.create_task(self._sweeping(), name="sweep")

    async def stop(self) -> None:
        """Finish what was begun, and close the ledger."""
        if self._sweep is not None:
            self._sweep.cancel()
        await self._entering.stop()
        await asyncio.to_thread(self._signing.shutdown)
        await self.on_ledger(Ledger.close)
        self._books.shutdown()

    async def on_ledger(self, work: Callable[[Ledger], T]) -> T:
        """Run `work` on the ledger's thread. For ways of being eligible that keep a table of their own, too."""
        return await self._on_books(work, self._ledger)

    async def create(
        self,
        title: str,
        language: Language,
        chat_url: str,
        kinds: Sequence[EligibilityKind],
        code: str | None = None,
        days: int | None = None,
        ends_at: int | None = None,
    ) -> Issuance | Refusal:
        """New keys for a new town hall. `ends_at`: its planned end, unix seconds; or `days` from now; otherwise tomorrow at
        this time. Some hours after that (limits.issuing_after_end_s) the keys are destroyed. Refuses with `code_taken`,
        `bad_end`.
        """
        chosen = code or "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
        if await self.get(chosen) is not None:
            return Refusal("code_taken", field="$.code")
        now = int(self._clock())
        end = now + (days or 1) * DAY_S if ends_at is None else ends_at
        if refusal := self._bad_end(end):
            return refusal
        loop = asyncio.get_running_loop()
        empty = Issuance(
            *(chosen, title, language, chat_url.rstrip("/"), tuple(kinds)),
            spki=b"",
            open=True,
            closes_at=end + limit("issuing_after_end_s"),
            ends_at=end,
        )
        # The row first: of two that ask for one code at once only one may make its key.
        if not await self.on_ledger(lambda ledger: ledger.put(empty)):
            return Refusal("code_taken", field="$.code")
        keys = await loop.run_in_executor(self._signing, self._keys.make, chosen)
        issuance = dataclasses.replace(empty, spki=keys.entry, waiting_spki=keys.waiting)
        await self.on_ledger(lambda ledger: ledger.replace(issuance))
        return issuance

    async def put_off(self, issuance: Issuance, ends_at: int) -> Issuance | Refusal:
        """Another planned end, while issuing is open. Refuses with `bad_end`, `issuing_closed`."""
        if not issuance.open or not self._keys.there(issuance.code):
            return Refusal("issuing_closed")
        if refusal := self._bad_end(ends_at):
            return refusal
        moved = dataclasses.replace(issuance, ends_at=ends_at, closes_at=ends_at + limit("issuing_after_end_s"))
        await self.on_ledger(lambda ledger: ledger.replace(moved))
        return moved

    def _bad_end(self, end: int) -> Refusal | None:
        ahead = end - self._clock()
        return None if 0 < ahead <= limit("issuing_days") * DAY_S else Refusal("bad_end", field="$.ends_at")

    async def get(self, code: str) -> Issuance | None:
        """None: there is none."""
        return await self.on_ledger(lambda ledger: ledger.get(code))

    async def all(self) -> list[Issuance]:
        """By code."""
        return await self.on_ledger(lambda ledger: list(ledger.all()))

    async def issued(self, issuance: Issuance) -> int:
        """How many have a signature; after closing, how many had."""
        return await self._on_books(self._issued.count, issuance.code) if issuance.open else issuance.issued

    async def have(self, issuance: Issuance, people: Sequence[bytes]) -> list[bool]:
        """Of each opaque id, whether it has a signature."""
        found = await self._signer(issuance.code)
        if found is None:
            return [False] * len(people)
        keyed = [hmac.digest(found.pepper, person, hashlib.sha256) for person in people]
        return await self._on_books(self._issued.bound, issuance.code, keyed)

    async def sign(self, issuance: Issuance, person: bytes, blinded: bytes) -> bytes | Refusal:
        """As `sign_all`, for one who is known by one id and asks for no waiting tokens."""
        signed = await self.sign_all(issuance, (person,), blinded, ())
        return signed if isinstance(signed, Refusal) else signed[0]

    async def unsignable(self, issuance: Issuance, blinded: bytes, waiting: Sequence[bytes]) -> Refusal | None:
        """Why these values are not signed for anybody. Refuses with `issuing_closed`, `bad_blinded`."""
        found = await self._signer(issuance.code)
        return Refusal("issuing_closed") if found is None else _refused(found, blinded, waiting)

    async def sign_all(
        self, issuance: Issuance, person: Sequence[bytes], blinded: bytes, waiting: Sequence[bytes]
    ) -> list[bytes] | Refusal:
        """The blind signatures, of `blinded` and of each waiting token: one set for each person, and the same again for the
        same blinded values. `person`: every opaque id that they are known by; all of them are bound.

        Refuses with `issuing_closed`, `bad_blinded`, `already_issued`, `too_many_joins`, `busy`, `disk_full`; raises
        SigningFailed.
        """
        found = await self._signer(issuance.code)
        if found is None or not issuance.open or self._clock() >= issuance.closes_at:
            return Refusal("issuing_closed")
        if refusal := _refused(found, blinded, waiting):
            return refusal
        if self._waiting >= limit("signing_queue"):
            return Refusal("busy", retry_after_ms=1_000)
        self._waiting += 1
        try:
            ids = [hmac.digest(found.pepper, one, hashlib.sha256) for one in person]
            entered = await self._entering.enter(issuance.code, ids, hashlib.sha256(b"".join((blinded, *waiting))).digest())
            if entered == "closed":
                self._signers.pop(issuance.code, None)
                return Refusal("issuing_closed")
            if entered == "other":
                return Refusal("already_issued")
            if entered == "same" and (wait_s := self._repeats.take(ids[0], time.monotonic())):
                return Refusal("too_many_joins", retry_after_ms=int(wait_s * 1000) + 1)
            return await asyncio.get_running_loop().run_in_executor(self._signing, found.sign, blinded, waiting)
        except OSError as error:
            log.error("not_entered", hall=issuance.code, why=type(error).__name__)
            return Refusal("disk_full", retry_after_ms=5_000)
        except SigningFailed as failed:
            log.error("signing_failed", hall=issuance.code, why=str(failed))
            raise
        finally:
            self._waiting -= 1

    async def close_issuing(self, issuance: Issuance) -> Issuance:
        """Destroy the private key and what ties the ledger to people: nobody can add a voice any more. Idempotent."""
        self._signers.pop(issuance.code, None)
        self._keys.destroy(issuance.code)
        closed = issuance
        if issuance.open:
            count = await self._on_books(self._issued.count, issuance.code)
            closed = dataclasses.replace(issuance, open=False, issued=count)
            await self.on_ledger(lambda ledger: ledger.replace(closed))
        # The count is kept first: whatever ends this process now, the next sweep finishes it.
        await self._on_books(self._issued.forget, issuance.code)
        await self.on_ledger(lambda ledger: ledger.forget(issuance.code))
        return closed

    async def _on_books(self, work: Callable[..., T], *given: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._books, work, *given)

    def _move_bound(self) -> None:
        """Out of the ledger of a version that kept them there."""
        bound = self._ledger.bound_before()
        self._issued.enter([Asked(code, (person,), blinded) for code, person, blinded in bound])
        self._ledger.drop_bound_before()

    async def _signer(self, code: str) -> _Signers | None:
        found = self._signers.get(code)
        if found is None:
            loaded = self._keys.load(code)
            if loaded is None:
                return None
            if len(self._signers) >= limit("issuances_loaded"):
                self._signers.clear()
            waiting = None if loaded.waiting is None else BlindSigner(loaded.waiting)
            found = self._signers[code] = _Signers(BlindSigner(loaded.entry), waiting, loaded.pepper)
        return found

    async def _sweeping(self) -> None:
        while True:
            for issuance in await self.all():
                going_on = issuance.open and self._clock() < issuance.closes_at and self._keys.there(issuance.code)
                if issuance.spki and not going_on:
                    # Its time is over; or somebody began to close it, perhaps in another process.
                    await self.close_issuing(issuance)
            await asyncio.sleep(SWEEP_S)
