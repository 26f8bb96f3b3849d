"""A browser's key, as the pages make it: what a link is bound to."""

import base64
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from protocol.link_proofs import link_proven


class BrowserKey:
    """Of one browser."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())

    def shown(self, code: str, role: str, link: str, nonce: str) -> dict[str, str]:
        """Body of a request for a ticket. `nonce`: as the server gave it."""
        over = link_proven(code, role, link, base64.urlsafe_b64decode(nonce + "=="))
        r, s = decode_dss_signature(self._key.sign(over, ec.ECDSA(SHA256())))
        key = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return {"key": _b64(key), "nonce": nonce, "proof": _b64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))}


def parts(url: str) -> tuple[str, str, str, str]:
    """(role, code, name, secret) of a staff link's address."""
    address, _, secret = url.partition("#")
    role, code = address.rsplit("/", 2)[1:]
    return role, code, secret[:8], secret


async def opened(server: Any, url: str, key: BrowserKey, **altered: str) -> tuple[int, Any]:
    """(status, Ack): a browser with `key` opens the address of a link. `altered`: what it shows otherwise than is right."""
    role, code, link, secret = parts(url)
    _, ack = await server.ask("POST", f"/api/v1/halls/{code}/nonce")
    said = {"code": code, "role": role, "link": link, "nonce": ack["data"]["nonce"]} | altered
    body = key.shown(said["code"], said["role"], said["link"], said["nonce"])
    status, ack = await server.ask("POST", f"/api/v1/halls/{code}/{role}/ticket", secret, json=body)
    return status, ack


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
