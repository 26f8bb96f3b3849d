"""An OpenID Connect provider as the issuer asks it: what it publishes of itself, a code redeemed, an ID token checked."""

import asyncio
import base64
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import aiohttp
import orjson
from joserfc import jwt
from joserfc.errors import BadSignatureError, InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from server.settings import Settings

DISCOVERY_S: Final = 3600.0
"""How long what the provider publishes of itself is believed without asking again."""
AGAIN_S: Final = 60.0
"""It is asked at most this often because a token was signed by a key that it had not published."""
DOWN_S: Final = 2.0
"""A provider that did not answer is not asked again for this long."""
ASK_S: Final = 10.0
"""Longest time for one answer of the provider."""
ANSWER_BYTES: Final = 262_144
SKEW_S: Final = 60
"""By how much the provider's clock may differ from ours."""
ALGORITHMS: Final = ("RS256", "PS256", "ES256", "EdDSA", "RS384", "RS512", "PS384", "PS512", "ES384", "ES512")
"""Signatures of ID tokens; never `none`, never a shared secret."""


class ProviderFailed(Exception):
    """The provider did not answer, or not as it should. Its words are not repeated: they may name somebody."""


class Provider:
    """`redirect_uri()`: where it sends people back to. `clock`: monotonic seconds; `wall`: unix seconds."""

    def __init__(
        self,
        settings: Settings,
        redirect_uri: Callable[[], str],
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._redirect_uri = redirect_uri
        self._clock = clock
        self._wall = wall
        self._asking = asyncio.Lock()
        self._metadata: dict[str, Any] = {}
        self._keys = KeySet([])
        self._asked = self._failed = -DISCOVERY_S

    async def metadata(self) -> Mapping[str, Any]:
        """What it publishes of itself (OpenID Connect Discovery, 4). Raises ProviderFailed."""
        async with self._asking:
            if self._clock() - self._asked >= DISCOVERY_S:
                await self._ask()
        return self._metadata

    async def claims(self, code: str, verifier: str, nonce: str, iss: str | None) -> dict[str, Any]:
        """Of whoever brought `code` back. `iss`: who the address says it is from (RFC 9207).

        Raises ProviderFailed, JoseError, KeyError, ValueError. A code that is none costs the provider's answer and nothing
        else: what is known of the provider stays, and others sign in meanwhile.
        """
        metadata = await self.metadata()
        if iss is not None and iss != metadata["issuer"]:
            raise ProviderFailed
        token = await self._redeemed(metadata, code, verifier)
        try:
            return self.checked(token, nonce)
        except (BadSignatureError, InvalidKeyIdError):
            # Its keys may have changed. This token came from the provider itself.
            async with self._asking:
                if self._clock() - self._asked < AGAIN_S:
                    raise
                await self._ask()
            return self.checked(token, nonce)

    async def _ask(self) -> None:
        if self._clock() - self._failed < DOWN_S:
            raise ProviderFailed
        issuer = self._settings.oidc_issuer.rstrip("/")
        try:
            async with _session() as session:
                found = await _json(session, "GET", f"{issuer}/.well-known/openid-configuration")
                if found.get("issuer", "").rstrip("/") != issuer:
                    raise ProviderFailed
                for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                    if not str(found.get(name, "")).startswith(("https://", "http://localhost", "http://127.0.0.1")):
                        raise ProviderFailed
                keys = await _json(session, "GET", found["jwks_uri"])
            self._keys = KeySet.import_key_set({"keys": keys["keys"]})
        except (ProviderFailed, JoseError, KeyError, ValueError, TypeError):
            self._failed = self._clock()
            raise ProviderFailed from None
        self._metadata, self._asked = found, self._clock()

    async def _redeemed(self, provider: Mapping[str, Any], code: str, verifier: str) -> str:
        """The ID token for an authorization code (3.1.3). Raises ProviderFailed."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri(),
            "code_verifier": verifier,
            "client_id": self._settings.oidc_client_id,
        }
        auth = None
        if self._settings.oidc_client_secret_file:
            secret = Path(self._settings.oidc_client_secret_file).read_text("utf-8").strip()
            if "client_secret_basic" in provider.get("token_endpoint_auth_methods_supported", ["client_secret_basic"]):
                del form["client_id"]
                auth = _basic(self._settings.oidc_client_id, secret)
            else:
                form["client_secret"] = secret
        async with _session() as session:
            found = await _json(session, "POST", provider["token_endpoint"], data=form, headers=auth or {})
        return str(found["id_token"])

    def checked(self, token: str, nonce: str) -> dict[str, Any]:
        """The claims of an ID token that is signed, meant for us, fresh, and of this sign-in (3.1.3.7)."""
        claims: dict[str, Any] = jwt.decode(token, self._keys, algorithms=list(ALGORITHMS)).claims
        me = self._settings.oidc_client_id
        registry = jwt.JWTClaimsRegistry(
            now=int(self._wall()),
            leeway=SKEW_S,
            iss={"essential": True, "value": self._metadata["issuer"]},
            aud={"essential": True, "value": me},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        registry.validate(claims)
        audience = claims["aud"]
        if claims.get("azp", me) != me or (isinstance(audience, list) and len(audience) > 1 and "azp" not in claims):
            raise ProviderFailed
        return claims


def _basic(name: str, secret: str) -> dict[str, str]:
    """RFC 6749, 2.3.1: both are form-encoded first."""
    encoded = "&".join(urlencode({"": part})[1:] for part in (name, secret)).replace("&", ":")
    return {"Authorization": "Basic " + base64.b64encode(encoded.encode()).decode()}


def _session() -> aiohttp.ClientSession:
    timeout = aiohttp.ClientTimeout(total=ASK_S)
    return aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar(), headers={"User-Agent": "townhall"})


async def _json(session: aiohttp.ClientSession, method: str, url: str, **options: Any) -> dict[str, Any]:
    """A JSON object from the provider, within bounds. Raises ProviderFailed."""
    try:
        async with session.request(method, url, allow_redirects=False, **options) as response:
            raw = b""
            async for chunk in response.content.iter_chunked(65_536):
                raw += chunk
                if len(raw) > ANSWER_BYTES:
                    raise ProviderFailed
            if response.status != 200:
                raise ProviderFailed
        found = orjson.loads(raw)
    except (aiohttp.ClientError, TimeoutError, OSError, orjson.JSONDecodeError):
        raise ProviderFailed from None
    if not isinstance(found, dict):
        raise ProviderFailed
    return found
