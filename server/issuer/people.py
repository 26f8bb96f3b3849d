"""Opaque ids of people: the same person by two ways is one person."""

import hashlib
import hmac
import string
import unicodedata

from server.secret import Secret

_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


class People:
    """Ids are keyed: without the issuer's secret nobody can try a list of addresses against what is stored."""

    def __init__(self, secret: Secret) -> None:
        self._key = secret.key("person")

    def by_mail(self, address: str) -> bytes:
        """Whoever reads the mail of `address`. Invitations and single sign-on meet here."""
        return self._id("mail", same_address(address))

    def by_subject(self, provider: str, subject: str) -> bytes:
        """An account at a provider (OpenID Connect Core, 2: `iss` and `sub` name it)."""
        return self._id("subject", f"{provider}|{subject}")

    def by_name(self, name: str, place: int) -> bytes:
        """The row of a list of names without addresses: the `place`-th with this name. The same when it is printed again."""
        return self._id("name", f"{place}|{unicodedata.normalize('NFC', name)}")

    def _id(self, kind: str, what: str) -> bytes:
        return hmac.digest(self._key, f"{kind}|{what}".encode("utf-8", "surrogatepass"), hashlib.sha256)


def same_address(address: str) -> str:
    """How two addresses are compared: without blanks around them, A-Z as a-z, and otherwise letter by letter.

    Nothing else is folded or normalised. Full case folding makes one of two people (U+212A is no k, ß is not ss); and that a
    provider writes one address in two Unicode forms makes no two people of one, because the account's subject is bound too.
    """
    return address.strip().translate(_LOWER)
