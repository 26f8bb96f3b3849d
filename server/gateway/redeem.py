"""From a token that is shown to a participant's ticket: genuine, in its round, for the first time or by the same key."""

import time
from collections.abc import Callable

from moderation.participation_rules import in_round
from protocol.credentials import public_key
from protocol.refusals import Refusal
from server.admission.admit import Admission
from server.admission.admitted import author_tag, participant_key
from server.admission.redeem import Redeeming, ShownToken, participant_id
from server.halls.rounds import Rounds
from server.halls.runtime import Runtime
from server.store.tokens import SpentTokens

LATE_S = 15
"""A browser that began within a round may still arrive this much after its end."""


class Redeemer:
    """`clock`: unix seconds."""

    def __init__(
        self,
        admission: Admission,
        redeeming: Redeeming,
        tokens: SpentTokens,
        rounds: Rounds,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._admission = admission
        self._redeeming = redeeming
        self._tokens = tokens
        self._rounds = rounds
        self._clock = clock

    def nonce(self, runtime: Runtime) -> bytes:
        """What the device key has to sign next."""
        return self._redeeming.nonce(runtime.code)

    async def redeem(self, runtime: Runtime, shown: ShownToken) -> str | Refusal:
        """A participant's ticket. Raises StoreUnavailable, StoreRefused, Busy."""
        hall, code = runtime.hall, runtime.code
        if hall.admission is None:
            return Refusal("bad_token")
        if runtime.author_key is None:
            return Refusal("hall_closed")
        genuine = self._redeeming.check(code, public_key(hall.admission.issuer), shown)
        if isinstance(genuine, Refusal):
            return genuine
        new = in_round(hall, self._clock(), few=shown.few, late_s=LATE_S)
        pid = participant_id(runtime.author_key, genuine.id)
        tag = author_tag(participant_key(runtime.author_key, pid))
        answer = await self._tokens.show(code, genuine.id, genuine.device, tag, shown.nonce, new=new, few=shown.few)
        if answer == "used":
            return Refusal("stale_nonce", retry_after_ms=0)
        if answer == "unknown":
            return Refusal("hall_draft" if hall.phase == "draft" else "waiting_for_others", retry_after_ms=5_000)
        if answer == "other":
            return Refusal("token_taken")
        if hall.admission.round_s == 0 and tag not in hall.admitted:
            await self._rounds.let_in(runtime)
        return self._admission.tickets.issue_participant(code, pid)
