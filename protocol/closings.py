"""The table of close codes. 3000-3499: come back (after the time the Bye names); 3500-3999: do not, mend it first.

The ranges are Centrifugo's (its docs, server/codes). The official Socket.IO client does not reconnect after a
server-side disconnect, so a `Bye` with the code and a time always goes first and the page obeys it.
Sentences stand in the catalogue, section `closing`, under the code.
"""

CLOSINGS: dict[int, str] = {
    3001: "draining",
    3002: "silent",
    3008: "slow",
    3010: "insufficient_state",
    3011: "node_too_old",
    3012: "hall_stopped",
    3500: "not_admitted",
    3501: "bad_request",
    3502: "never_joined",
    3503: "frame_too_big",
    3504: "too_many_frames",
    3505: "unknown_hall",
    3506: "link_renewed",
    3507: "read_only",
    3508: "transport_refused",
}


def comes_back(code: int) -> bool:
    """Whether a client that was closed with `code` should connect again by itself."""
    return 3000 <= code < 3500
