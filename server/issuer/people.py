"""Opaque ids of people: the same person by two ways is one person."""

import hashlib
import hmac

from server.secret import Secret


class People:
    """Ids are keyed: without the issuer's secret nobody can try a list of addresses against what is stored."""

    def __init__(self, secret: Secret) -> None:
        self._key = secret.key("person")

    def by_mail(self, address: str) -> bytes:
        """Whoever reads the mail of `address`. Invitations and single sign-on meet here."""
        return self._id("mail", address.strip().casefold())

    def by_subject(self, provider: str, subject: str) -> bytes:
        """An account at a provider that tells no verified address (OpenID Connect Core, 2: `iss` and `sub` name it)."""
        return self._id("subject", f"{provider}|{subject}")

    def by_invitation(self, digest: bytes) -> bytes:
        """Whoever holds an invitation that went to a name alone."""
        return self._id("invitation", digest.hex())

    def _id(self, kind: str, what: str) -> bytes:
        return hmac.digest(self._key, f"{kind}|{what}".encode(), hashlib.sha256)
