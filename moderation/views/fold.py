"""Folding: what a client does with fragments. Pages have the same in static/src/feed/fold.ts, tested by the same files."""

from collections.abc import Iterable

from protocol.views import Fragment, Gone, Window

View = dict[str, Fragment]
"""Fragments by name."""
_NAMED = ("message", "question", "poll")
"""Kinds of which there are many. Ids are places in the log, so that no two things share one."""


def name(fragment: Fragment) -> str:
    """`kind`, or `kind:id` where there are many of a kind. A `gone` goes by the name of the message with its id."""
    kind = str(type(fragment).__struct_config__.tag)
    if isinstance(fragment, Gone):
        return f"message:{fragment.id}"
    return f"{kind}:{fragment.id}" if kind in _NAMED else kind  # type: ignore[attr-defined]  # these have an id


def fold(view: View, fragments: Iterable[Fragment]) -> View:
    """`view` in place, and returned: the newest value of a name wins; `gone` and `window` delete."""
    for fragment in fragments:
        if isinstance(fragment, Gone):
            for kind in _NAMED:
                view.pop(f"{kind}:{fragment.id}", None)
        elif isinstance(fragment, Window):
            for key in [key for key, kept in view.items() if _left_behind(kept, fragment.floor)]:
                del view[key]
        else:
            view[name(fragment)] = fragment
    return view


def _left_behind(fragment: Fragment, floor: int) -> bool:
    if not hasattr(fragment, "text") or not name(fragment).startswith("message:"):
        return False
    if getattr(fragment, "fate", None) is not None or getattr(fragment, "state", "") == "held":
        return False
    place: int = getattr(fragment, "shown", None) or fragment.id  # type: ignore[attr-defined]  # messages have an id
    return place < floor
