"""A simulated employee's way in, as a browser goes it: the card, a blind signature from the issuer, and the token shown."""

import base64
import secrets
from typing import Any

import aiohttp

from loadtests.blinding import WaitingToken, Wallet
from loadtests.client import NotAdmitted, ticket


def b64(raw: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def unb64(text: str) -> bytes:
    """Its bytes."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


async def card(session: aiohttp.ClientSession, url: str, code: str) -> dict[str, Any]:
    """What anybody may know of a town hall; its `admission` is null where whoever has the link is a participant."""
    return dict(await _asked(session, "GET", f"{url.rstrip('/')}/api/v1/halls/{code}"))


async def get_signed(
    session: aiohttp.ClientSession, issuer_url: str, wallet: Wallet, kind: str = "open", proof: str = ""
) -> bytes:
    """Have the wallet's message signed, and its waiting tokens; the blind signature comes back. `proof` "" at an open code: a
    new browser.

    Raises NotAdmitted.
    """
    body = {
        "blinded": b64(wallet.ask()),
        **({"waiting": [b64(one) for one in wallet.ask_waiting()]} if wallet.waiting else {}),
        "kind": kind,
        "proof": proof or (b64(secrets.token_bytes(24)) if kind == "open" else ""),
    }
    data = await _asked(session, "POST", f"{issuer_url}/api/v1/issuances/{wallet.code}/sign", body)
    answer = unb64(data["signature"])
    wallet.take(answer, [unb64(one) for one in data.get("waiting", ())])
    return answer


def waits(token: WaitingToken | None, *, few: bool = False) -> dict[str, Any]:
    """Payload of `round:await`, with a waiting token or without."""
    shown = {} if token is None else {"prefix": b64(token.prefix), "signature": b64(token.signature)}
    return shown | ({"few": True} if few else {})


async def show(session: aiohttp.ClientSession, url: str, wallet: Wallet, *, few: bool = False) -> str:
    """A participant's ticket for the wallet's token. `few`: its holder will come in with few. Raises NotAdmitted."""
    address = f"{url.rstrip('/')}/api/v1/halls/{wallet.code}"
    nonce = (await _asked(session, "POST", f"{address}/nonce"))["nonce"]
    body = {
        "prefix": b64(wallet.prefix),
        "signature": b64(wallet.signature),
        "device_key": b64(wallet.device_key),
        "nonce": nonce,
        "proof": b64(wallet.prove(unb64(nonce))),
        **({"few": True} if few else {}),
    }
    return str((await _asked(session, "POST", f"{address}/redeem", body))["ticket"])


async def enter(session: aiohttp.ClientSession, url: str, code: str) -> str:
    """A ticket to take part in a town hall with an open code, or in one without an issuer. Raises NotAdmitted."""
    admission = (await card(session, url, code)).get("admission")
    if admission is None:
        return await ticket(session, url, code)
    wallet = Wallet(code, unb64(admission["issuer"]["key"]), waiting_spki=unb64(admission["issuer"].get("waiting_key", "")))
    await get_signed(session, admission["issuer"]["url"], wallet)
    return await show(session, url, wallet)


async def _asked(session: aiohttp.ClientSession, method: str, address: str, body: object = None) -> Any:
    async with session.request(method, address, json=body) as response:
        found = await response.json()
    if not found["ok"]:
        raise NotAdmitted(found["error"])
    return found["data"]
