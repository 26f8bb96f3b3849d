"""Where people reach chat and issuer, and whether these have different host names, as they must.

On one host name a browser would send the issuer's session cookie, which stands for a person, to the chat together with a token.
"""

from typing import Literal

from protocol.names import Language
from protocol.origins import host_of, is_loopback, same_host
from protocol.sentences import sentence
from server.settings import Settings

Apart = Literal["apart", "loopback", "same"]
"""`loopback`: equal names, but of this machine alone, where nobody else is."""


def issuer_port(settings: Settings) -> int:
    """The one after the chat's, unless it is set; a free one (0) where the chat's is free too."""
    return settings.issuer_port or (settings.port + 1 if settings.port else 0)


def chat_address(settings: Settings) -> str:
    """Of a chat on the port that is set."""
    return settings.public_url.rstrip("/") or f"http://{settings.host}:{settings.port}"


def issuer_address(settings: Settings, port: int) -> str:
    """Of an issuer that listens on `port`. On the loopback it has the name that the chat does not have."""
    if settings.issuer_public_url:
        return settings.issuer_public_url.rstrip("/")
    host = settings.issuer_host
    if is_loopback(host) and host_of(f"http://{host}") in ("127.0.0.1", "localhost"):
        host = "127.0.0.1" if host_of(chat_address(settings)).endswith("localhost") else "localhost"
    return f"http://{host}:{port}"


def compared(chat: str, issuer: str) -> Apart:
    """Two addresses."""
    if not same_host(chat, issuer):
        return "apart"
    return "loopback" if is_loopback(host_of(chat)) else "same"


def apart(settings: Settings) -> dict[str, Apart]:
    """{sentence of section `cli`: how the chat's address stands to that of who knows people}. What is not known is left out.

    The provider of single sign-on has cookies that stand for a person, too.
    """
    chat, found = chat_address(settings), dict[str, Apart]()
    if settings.issuer == "embedded" or settings.issuer_public_url:
        found["same_host"] = compared(chat, issuer_address(settings, issuer_port(settings)))
    if settings.oidc_issuer:
        found["same_host_provider"] = compared(chat, settings.oidc_issuer)
    return found


def told_apart(settings: Settings, lang: Language) -> tuple[list[str], list[str]]:
    """Sentences: (why it must not start, what is so on this machine alone)."""
    host, found = host_of(chat_address(settings)), apart(settings).items()
    return (
        [sentence(lang, "cli", key, host=host) for key, how in found if how == "same"],
        [sentence(lang, "cli", f"{key}_here", host=host) for key, how in found if how == "loopback"],
    )
