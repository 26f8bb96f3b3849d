"""The table of refusals: a rule says no, and says it as a value with a code that a page can turn into a sentence.

Sentences stand in the catalogue, section `refusal`, under the same code, in both languages.
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Kind:
    """`temporary`: repeating the same command later can help. `status`: the HTTP status of the POST interface."""

    temporary: bool
    status: int


REFUSALS: dict[str, Kind] = {
    # the client broke the protocol
    "bad_request": Kind(False, 400),
    "unknown_command": Kind(False, 400),
    "too_big": Kind(False, 413),
    # who may do what, and when
    "unknown_hall": Kind(False, 404),
    "not_admitted": Kind(False, 401),
    "sign_in": Kind(False, 401),
    "link_expired": Kind(False, 401),
    "link_revoked": Kind(False, 401),
    "not_allowed": Kind(False, 403),
    # from a person to a participant
    "not_eligible": Kind(False, 403),
    "already_issued": Kind(False, 409),
    "issuing_closed": Kind(False, 409),
    "bad_blinded": Kind(False, 422),
    "bad_end": Kind(False, 422),
    "bad_token": Kind(False, 403),
    "token_taken": Kind(False, 409),
    "stale_nonce": Kind(True, 409),
    "watching_only": Kind(False, 403),
    "waiting_for_others": Kind(True, 409),
    "too_few_participants": Kind(True, 409),
    "group_is_fixed": Kind(False, 409),
    "pseudonym_kept": Kind(False, 409),
    "no_issuer": Kind(False, 409),
    "wrong_phase": Kind(False, 409),
    "hall_draft": Kind(True, 409),
    "hall_closed": Kind(False, 409),
    # what may be posted
    "text_empty": Kind(False, 422),
    "text_too_long": Kind(False, 422),
    "list_too_long": Kind(False, 422),
    "chat_paused": Kind(True, 409),
    "slow_mode": Kind(True, 429),
    "too_fast": Kind(True, 429),
    "chat_flooded": Kind(True, 429),
    "muted": Kind(False, 403),
    "hall_full": Kind(False, 409),
    "client_id_reused": Kind(False, 409),
    # messages, questions and polls
    "no_such_message": Kind(False, 404),
    "no_such_director": Kind(False, 404),
    "no_such_department": Kind(False, 404),
    "no_such_participant": Kind(False, 404),
    "no_such_link": Kind(False, 404),
    "not_yours": Kind(False, 403),
    "wrong_state": Kind(False, 409),
    "wrong_fate": Kind(False, 409),
    "already_done": Kind(False, 409),
    "already_picked": Kind(False, 409),
    "already_on_air": Kind(False, 409),
    "not_on_air": Kind(False, 409),
    "not_routed": Kind(False, 409),
    "queue_full": Kind(False, 409),
    "poll_open": Kind(False, 409),
    "poll_closed": Kind(False, 409),
    "too_many_polls": Kind(False, 409),
    "no_such_poll": Kind(False, 404),
    "no_such_choice": Kind(False, 422),
    "same_choice": Kind(False, 422),
    "merge_into_itself": Kind(False, 422),
    "due_in_the_past": Kind(False, 422),
    "undo_nothing": Kind(False, 409),
    "undo_too_late": Kind(False, 409),
    # setting up
    "no_director": Kind(False, 422),
    "duplicate_id": Kind(False, 422),
    "bad_csv": Kind(False, 422),
    "no_mail": Kind(False, 409),
    "guest_without_address": Kind(False, 422),
    "bad_video": Kind(False, 422),
    "code_taken": Kind(False, 409),
    # the machinery
    "not_saved": Kind(True, 503),
    "unknown_outcome": Kind(True, 503),
    "disk_full": Kind(True, 507),
    "busy": Kind(True, 503),
    "hall_stopped": Kind(False, 503),
    "too_many_joins": Kind(True, 429),
    "too_many_connections": Kind(True, 429),
    "node_full": Kind(True, 503),
    "draining": Kind(True, 503),
    "internal": Kind(True, 500),
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refused command. `params` fill the placeholders of the sentence; `field` is a path such as `$.client_id`."""

    code: str
    params: dict[str, Any] = field(default_factory=dict)
    field: str | None = None
    retry_after_ms: int | None = None

    def __post_init__(self) -> None:
        if self.code not in REFUSALS:
            raise ValueError(f"{self.code!r} is not in the table of refusals")
