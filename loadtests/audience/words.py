"""What an audience is told on its command line."""

from collections.abc import Sequence
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """`rate`: connections begun in a second. `tickets`: path of a file, one a line; viewer i shows line i, modulo."""

    host: str
    port: int
    viewers: int
    rate: float
    code: str
    run: str
    tickets: str
    path: str = "/socket.io/?EIO=4&transport=websocket"
    namespace: str = "/audience"
    stall: int = 0
    deflate: int = 0
    tls: int = 0
    name: str = ""
    mode: str = "hall"
    """`hall`: of the product. The C audience also knows `plain` and `socketio`, for the peers of the bench."""

    def line(self) -> list[str]:
        """As arguments."""
        return [f"{field.name}={getattr(self, field.name)}" for field in fields(self)]


def parse(arguments: Sequence[str]) -> Words:
    """Raises ValueError with a sentence for a word that is unknown, missing or no number."""
    given = dict(word.partition("=")[::2] for word in arguments)
    types = {field.name: field.type for field in fields(Words)}
    if unknown := set(given) - set(types):
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
    made: dict[str, str | int | float] = {}
    for name, text in given.items():
        kind = types[name]
        made[name] = text if kind is str else float(text) if kind is float else int(text)
    try:
        return Words(**made)  # type: ignore[arg-type]  # each was made to be of its field's type
    except TypeError as error:
        raise ValueError(str(error)) from None
