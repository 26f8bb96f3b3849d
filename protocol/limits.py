"""The table of every bound a client can meet: value, unit, what happens beyond it, and the refusal code."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limit:
    """One bound. `beyond` says in a sentence what happens past it; `code` is the refusal or close code sent."""

    value: int
    unit: str
    beyond: str
    code: str


LIMITS: dict[str, Limit] = {
    "text_graphemes": Limit(300, "grapheme clusters", "the message is refused", "text_too_long"),
    "text_bytes": Limit(4_000, "bytes of UTF-8", "the message is refused", "text_too_long"),
    "marks_per_letter": Limit(4, "combining marks", "further marks are dropped", "-"),
    "answer_graphemes": Limit(5_000, "grapheme clusters", "the answer is refused", "text_too_long"),
    "answer_bytes": Limit(40_000, "bytes of UTF-8", "the answer is refused", "text_too_long"),
    "reason_graphemes": Limit(200, "grapheme clusters", "the command is refused", "text_too_long"),
    "name_graphemes": Limit(80, "grapheme clusters", "the command is refused", "text_too_long"),
    "title_graphemes": Limit(80, "grapheme clusters", "the command is refused", "text_too_long"),
    "url_length": Limit(2_000, "characters", "the command is refused", "bad_request"),
    "departments": Limit(100, "items", "the command is refused", "list_too_long"),
    "directors": Limit(300, "items", "the command is refused", "list_too_long"),
    "hosts": Limit(20, "items", "the command is refused", "list_too_long"),
    "staff_links": Limit(1_000, "staff links of a town hall that hold", "making more is refused", "list_too_long"),
    "link_days": Limit(366, "days that a staff link may hold", "the command is refused", "bad_request"),
    "granted_link_s": Limit(43_200, "s before staff who signed in do so again", "coming in is refused", "link_expired"),
    "staff_ticket_s": Limit(600, "s that a staff ticket is good for", "coming in is refused", "not_admitted"),
    "openings": Limit(256, "addresses of the organiser's page that hold", "that which ends first goes", "opening_used"),
    "opening_h": Limit(24, "h in which such an address can be opened", "it is refused", "opening_used"),
    "opened_days": Limit(30, "days for which the browser that opened it comes in", "it is refused", "opening_used"),
    "guests": Limit(20_000, "rows of a file of people to invite", "the file is refused", "bad_csv"),
    "guest_letters": Limit(254, "characters of a name or an address in it", "the file is refused", "bad_csv"),
    "guests_bytes": Limit(4_194_304, "bytes of it", "the request is refused", "too_big"),
    "sign_ins": Limit(50_000, "sign-ins and sessions kept at once by the issuer", "the oldest is forgotten", "-"),
    "check_ids": Limit(100, "items", "the command is refused", "bad_request"),
    "messages_per_hall": Limit(
        200_000, "messages of one town hall that are not removed", "posting is refused until some are removed", "hall_full"
    ),
    "messages_per_participant": Limit(
        300, "messages of one participant in one town hall, removed ones too", "posting is refused", "too_many_messages"
    ),
    "messages_burst_per_hall": Limit(
        50_000, "messages that one town hall takes at any pace", "posting is refused for a while", "chat_flooded"
    ),
    "messages_refill_per_hall_s": Limit(10, "of them free again in a second", "posting is refused for a while", "chat_flooded"),
    "closes_after_h": Limit(168, "h after its opening by which a town hall ends", "the setup is refused", "bad_request"),
    "queue": Limit(500, "questions", "picking is refused", "queue_full"),
    "poll_question": Limit(300, "code points", "the command is refused", "text_too_long"),
    "poll_choice": Limit(80, "code points", "the command is refused", "text_too_long"),
    "polls": Limit(50, "polls of one town hall", "opening another is refused", "too_many_polls"),
    "poll_figures": Limit(5, "voters of a poll that is closed, at least", "what came of it is not told", "-"),
    "poll_figure_s": Limit(15, "s between two figures of an open poll, at least", "the one before stands", "-"),
    "poll_figure_voters": Limit(10, "voters that have come between two figures, at least", "the one before stands", "-"),
    "voters": Limit(65_536, "voters of one town hall", "further votes are refused", "disk_full"),
    "messages_per_10_s": Limit(
        5, "messages of one participant in 10 s, on all nodes together", "the message is refused", "too_fast"
    ),
    "supports_per_10_s": Limit(
        30, "supports and votes of one participant in 10 s, on one node", "the support or vote is refused", "too_fast"
    ),
    "commands_per_10_s": Limit(100, "commands of one staff link in 10 s, on one node", "the command is refused", "too_fast"),
    "joins_per_address_per_min": Limit(
        3_000,
        "tickets to watch, and refused secrets, tokens and links, of one address in 60 s, on one node",
        "what is wrong and who brings no secret wait; a good secret never does",
        "too_many_joins",
    ),
    "bad_secrets_per_address_per_min": Limit(
        60, "wrong secrets and keys from one address in 60 s, on one node", "they are no longer told apart", "too_many_joins"
    ),
    "connections_per_address": Limit(
        12_000, "connections of one address to one node", "the connection is refused", "too_many_connections"
    ),
    "signatures_per_address_per_min": Limit(
        6_000, "requests to sign of one address in 60 s where the code is open", "it is refused", "too_many_joins"
    ),
    "failed_proofs_per_address_per_min": Limit(
        600, "requests of one address in 60 s whose invitation, session or organiser's key is none", "the same", "too_many_joins"
    ),
    "signatures_repeated_per_min": Limit(
        60, "requests in 60 s for a signature that the same person has already", "it is refused", "too_many_joins"
    ),
    "signing_queue": Limit(2_000, "requests to sign that wait at once", "it is refused", "busy"),
    "issuances_loaded": Limit(64, "keys that an issuer keeps in memory", "they are read again", "-"),
    "issuing_days": Limit(366, "days until the planned end of a town hall whose keys are made", "it is refused", "bad_end"),
    "issuing_after_end_s": Limit(
        21_600, "s after the planned end for which entries are given out", "issuing ends", "issuing_closed"
    ),
    "awaiting": Limit(65_536, "browsers of one town hall that wait for a round on one node", "it is not counted", "-"),
    "awaiting_told": Limit(1_024, "browsers of one town hall that one node counts towards a round", "it is not counted", "-"),
    "waiting_tokens_per_min": Limit(
        20, "waiting tokens of one connection or ticket that are looked at in 60 s", "it is not counted", "-"
    ),
    "nonce_s": Limit(120, "s for which a nonce is good", "the proof is refused", "stale_nonce"),
    "nonces": Limit(262_144, "proofs of one town hall in two minutes", "the proof is refused", "disk_full"),
    "ticket_s": Limit(900, "s for which a participant's ticket is good", "it is refreshed by the device key", "not_admitted"),
    "connections": Limit(20_000, "connections of one node", "the connection is refused", "node_full"),
    "frame_bytes": Limit(16_384, "bytes of one audience or overlay frame from a client", "the connection is closed", "3503"),
    "staff_frame_bytes": Limit(65_536, "bytes of one frame or request body from staff", "the connection is closed", "3503"),
    "setup_bytes": Limit(262_144, "bytes of an organiser's request body", "the request is refused", "too_big"),
    "json_depth": Limit(16, "levels of nesting", "the connection is closed", "3501"),
    "frames_per_s": Limit(20, "frames of one connection in a second, 60 at once", "the connection is closed", "3504"),
    "bad_requests_per_10_s": Limit(20, "malformed commands in 10 s", "the connection is closed", "3501"),
    "frame_wait_s": Limit(10, "s for a frame that has begun to come whole", "the connection is closed", "3501"),
    "commands_waiting": Limit(60, "commands of one connection that wait for an answer", "the connection is closed", "3504"),
    "joins_waiting": Limit(10_000, "joins of one node that wait for their turn", "the join is refused for a while", "busy"),
    "join_wait_s": Limit(5, "s from connecting to joining a namespace", "the connection is closed", "3502"),
    "write_backlog_bytes": Limit(65_536, "bytes waiting for one viewer", "frames are skipped, then resumed", "-"),
    "slow_viewer_s": Limit(8, "s without taking what was sent", "the connection is closed", "3008"),
    "ring_entries": Limit(2_000, "fragments kept for resuming", "older: a snapshot", "-"),
    "ring_bytes": Limit(1_000_000, "bytes kept for resuming", "older: a snapshot", "-"),
    "ring_s": Limit(120, "s kept for resuming", "older: a snapshot", "-"),
    "client_id_s": Limit(600, "s for which a repeated client id is recognised", "counts as new", "-"),
    "undo_s": Limit(10, "s in which a desk act can be undone", "the undo is refused", "undo_too_late"),
    "audience_window": Limit(200, "plain messages in a snapshot, at least", "older ones are left out", "-"),
    "overlay_window": Limit(20, "messages of the ticker in a snapshot, at least", "older ones are left out", "-"),
    "host_window": Limit(2_000, "plain messages in the host's snapshot, at least", "older ones are left out", "-"),
}


def limit(name: str) -> int:
    """The value of the bound `name`, in its unit. KeyError for an unknown name."""
    return LIMITS[name].value
