"""Single sign-on by OpenID Connect: Authorization Code with PKCE, and a short session at the issuer's origin.

The provider says who somebody is; kept is that, as a keyed id, in memory, for as long as it takes to get a signature.
"""

import base64
import hashlib
import hmac
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_args
from urllib.parse import urlencode

import aiohttp
import orjson
import structlog
from aiohttp import web
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from protocol.grants import GrantedRole
from protocol.limits import limit
from protocol.refusals import Refusal
from protocol.setup import EligibilityKind
from server.http.security import headers
from server.issuer.eligibility import Issuance
from server.issuer.people import People
from server.issuer.staff import StaffGrants
from server.settings import Settings

log = structlog.get_logger()

LOGIN_S: Final = 600.0
"""How long signing in at the provider may take."""
SESSION_S: Final = 900.0
"""How long somebody who has signed in is known."""
DISCOVERY_S: Final = 3600.0
"""How long what the provider publishes of itself is believed without asking again."""
ASK_S: Final = 10.0
"""Longest time for one answer of the provider."""
ANSWER_BYTES: Final = 262_144
SKEW_S: Final = 60
"""By how much the provider's clock may differ from ours."""
ALGORITHMS: Final = ("RS256", "PS256", "ES256", "EdDSA", "RS384", "RS512", "PS384", "PS512", "ES384", "ES512")
"""Signatures of ID tokens; never `none`, never a shared secret."""


_CODE: Final = re.compile(r"[A-Z0-9]{4,10}")
"""As protocol.names.HallCode."""


class ProviderFailed(Exception):
    """The provider did not answer, or not as it should. Its words are not repeated: they may name somebody."""


@dataclass(frozen=True, slots=True)
class _Login:
    """A sign-in that has begun. `browser`: SHA-256 of the cookie that began it. `staff`: the role that is asked for, "any";
    "": somebody wants to take part.
    """

    code: str
    browser: bytes
    nonce: str
    verifier: str
    until: float
    staff: str = ""


@dataclass(frozen=True, slots=True)
class _Session:
    """Somebody who has signed in. `eligible`: the claim that is asked for was there."""

    person: tuple[bytes, ...]
    eligible: bool
    until: float


class Oidc:
    """The way of being eligible by single sign-on, and staff's way to their role. `public_url()`: the issuer's own origin,
    known once it listens. `chat_url(code)`: origin of the chat of a town hall, None where there is none.
    """

    kind: Final[EligibilityKind] = "oidc"

    def __init__(
        self,
        settings: Settings,
        people: People,
        public_url: Callable[[], str],
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        *,
        staff: StaffGrants | None = None,
        chat_url: Callable[[str], Awaitable[str | None]] | None = None,
    ) -> None:
        self._staff = staff
        self._chat_url = chat_url
        self._settings = settings
        self._people = people
        self._public_url = public_url
        self._clock = clock
        self._wall = wall
        self._logins: OrderedDict[str, _Login] = OrderedDict()
        self._sessions: OrderedDict[bytes, _Session] = OrderedDict()
        self._provider: tuple[float, dict[str, Any], KeySet] | None = None

    def routes(self) -> Sequence[web.RouteDef]:
        """`GET /oidc/login`, `GET /oidc/staff`, `GET /oidc/callback`."""
        return (
            web.get("/oidc/login", self._login),
            web.get("/oidc/staff", self._staff_login),
            web.get("/oidc/callback", self._callback),
        )

    async def person(self, request: web.Request, issuance: Issuance, proof: str) -> tuple[bytes, ...] | Refusal:
        """Whoever signed in, in this browser, a little while ago. A page of another site cannot ask in their name."""
        if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin" or "Origin" not in request.headers:
            return Refusal("not_eligible")
        session = self._sessions.get(_hash(request.cookies.get(self._cookie("session"), "")))
        if session is None or session.until <= self._clock():
            return Refusal("sign_in")
        return session.person if session.eligible else Refusal("not_eligible")

    # --- signing in ---
    async def _login(self, request: web.Request) -> web.StreamResponse:
        """To the provider. `?code=`: the town hall to come back to."""
        return await self._begin(_code(request), "")

    async def _staff_login(self, request: web.Request) -> web.StreamResponse:
        """The same, for staff of a town hall. `?role=`: which role, where somebody has several."""
        code, role = _code(request), request.query.get("role", "any")
        if role not in ("any", *get_args(GrantedRole)):
            raise web.HTTPBadRequest
        if self._staff is None or self._chat_url is None or await self._chat_url(code) is None:
            raise web.HTTPNotFound
        return await self._begin(code, role)

    async def _begin(self, code: str, staff: str) -> web.StreamResponse:
        try:
            provider, _ = await self._discovered()
        except ProviderFailed:
            return self._back(code, "provider", staff)
        browser, state = secrets.token_urlsafe(32), f"{code}.{secrets.token_urlsafe(32)}"
        nonce, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
        login = _Login(code, _hash(browser), nonce, verifier, self._clock() + LOGIN_S, staff)
        # A name is asked for where the log will call somebody by it, and nowhere else.
        scopes = dict.fromkeys((*self._settings.oidc_scopes, *(("profile",) if staff else ())))
        _put(self._logins, state, login, self._clock())
        address = prepare_grant_uri(
            provider["authorization_endpoint"],
            client_id=self._settings.oidc_client_id,
            response_type="code",
            redirect_uri=self._redirect_uri(),
            scope=" ".join(scopes),
            state=state,
            nonce=login.nonce,
            code_challenge=create_s256_code_challenge(login.verifier),
            code_challenge_method="S256",
        )
        response = web.Response(status=303, headers={**headers("api"), "Location": address})
        self._set_cookie(response, "login", browser, LOGIN_S)
        return response

    async def _callback(self, request: web.Request) -> web.StreamResponse:
        """Back from the provider (OpenID Connect Core, 3.1.2.5)."""
        query = request.query
        login = self._logins.pop(query.get("state", ""), None)
        browser = _hash(request.cookies.get(self._cookie("login"), ""))
        if login is None or login.until <= self._clock() or not hmac.compare_digest(login.browser, browser):
            code = query.get("state", "").partition(".")[0]
            if not _CODE.fullmatch(code):
                raise web.HTTPBadRequest
            return self._back(code, "expired")
        if "error" in query or not query.get("code"):
            return self._back(login.code, "refused", login.staff)
        try:
            provider, keys = await self._discovered()
            if query.get("iss", provider["issuer"]) != provider["issuer"]:  # RFC 9207
                raise ProviderFailed
            claims = self._checked(await self._redeemed(provider, query["code"], login.verifier), keys, provider, login.nonce)
        except (ProviderFailed, JoseError, KeyError, ValueError) as error:
            log.warning("sign_in_failed", why=type(error).__name__)
            self._provider = None  # its keys may have changed
            return self._back(login.code, "provider", login.staff)
        if login.staff:
            return await self._granted(login, claims)
        token = secrets.token_urlsafe(32)
        session = _Session(self._who(claims), self._eligible(claims), self._clock() + SESSION_S)
        _put(self._sessions, _hash(token), session, self._clock())
        response = self._back(login.code, "signed" if session.eligible else "not_eligible")
        self._set_cookie(response, "session", token, SESSION_S)
        return self._without_login(response)

    async def _granted(self, login: _Login, claims: Mapping[str, Any]) -> web.StreamResponse:
        """To their page at the chat, with a grant in the fragment, which goes to no server. No session is left here."""
        assert self._staff is not None and self._chat_url is not None
        chat = await self._chat_url(login.code)
        found = self._staff.granted(login.code, "" if login.staff == "any" else login.staff, claims, self._values(claims))
        if found is None or chat is None:
            return self._without_login(self._back(login.code, "not_staff", login.staff))
        grant, text = found
        place = f"{chat}/{grant.role}/{login.code}#grant={text}"
        return self._without_login(web.Response(status=303, headers={**headers("api"), "Location": place}))

    def _without_login(self, response: web.Response) -> web.Response:
        response.del_cookie(self._cookie("login"), path="/", secure=self._secure(), httponly=True, samesite="Lax")
        return response

    def _back(self, code: str, how: str, staff: str = "") -> web.Response:
        query = {"oidc": how, **({"staff": staff} if staff else {})}
        return web.Response(status=303, headers={**headers("api"), "Location": f"/admit/{code}?{urlencode(query)}"})

    # --- what the provider says ---
    async def _discovered(self) -> tuple[dict[str, Any], KeySet]:
        """Its published metadata and keys (OpenID Connect Discovery, 4). Raises ProviderFailed."""
        if self._provider is None or self._provider[0] <= self._clock():
            issuer = self._settings.oidc_issuer.rstrip("/")
            async with _session() as session:
                found = await _json(session, "GET", f"{issuer}/.well-known/openid-configuration")
                if found.get("issuer", "").rstrip("/") != issuer:
                    raise ProviderFailed
                for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                    if not str(found.get(name, "")).startswith(("https://", "http://localhost", "http://127.0.0.1")):
                        raise ProviderFailed
                keys = await _json(session, "GET", found["jwks_uri"])
            try:
                self._provider = (self._clock() + DISCOVERY_S, found, KeySet.import_key_set({"keys": keys["keys"]}))
            except (JoseError, KeyError, ValueError, TypeError):
                raise ProviderFailed from None
        return self._provider[1], self._provider[2]

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

    def _checked(self, token: str, keys: KeySet, provider: Mapping[str, Any], nonce: str) -> dict[str, Any]:
        """The claims of an ID token that is signed, meant for us, fresh, and of this sign-in (3.1.3.7)."""
        claims: dict[str, Any] = jwt.decode(token, keys, algorithms=list(ALGORITHMS)).claims
        me = self._settings.oidc_client_id
        registry = jwt.JWTClaimsRegistry(
            now=int(self._wall()),
            leeway=SKEW_S,
            iss={"essential": True, "value": provider["issuer"]},
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

    def _who(self, claims: Mapping[str, Any]) -> tuple[bytes, ...]:
        """The account, whatever becomes of its address; and whoever reads the mail of its address, where that was verified."""
        account = self._people.by_subject(str(claims["iss"]), str(claims["sub"]))
        mail = claims.get("email")
        # The boolean alone: some providers write "true", also of what nobody verified.
        verified = isinstance(mail, str) and bool(mail.strip()) and claims.get("email_verified") is True
        return (account, self._people.by_mail(str(mail))) if verified else (account,)

    def _eligible(self, claims: Mapping[str, Any]) -> bool:
        """One of the values that are asked for stands in the claim that is set; without any, whoever can sign in is."""
        wanted = set(self._settings.oidc_eligible)
        return not wanted or bool(wanted & set(self._values(claims)))

    def _values(self, claims: Mapping[str, Any]) -> list[str]:
        """Of the claim that is set."""
        found = claims.get(self._settings.oidc_claim)
        return [str(value) for value in (found if isinstance(found, list) else [found]) if value is not None]

    # --- cookies ---
    def _redirect_uri(self) -> str:
        return f"{self._public_url()}/oidc/callback"

    def _secure(self) -> bool:
        return self._public_url().startswith("https://")

    def _cookie(self, name: str) -> str:
        """`__Host-`: of this origin alone, never of a neighbour (RFC 6265bis, 4.1.3.2). Plain on http, for trying it out."""
        return f"__Host-townhall-{name}" if self._secure() else f"townhall-{name}"

    def _set_cookie(self, response: web.Response, name: str, value: str, seconds: float) -> None:
        response.set_cookie(
            self._cookie(name), value, max_age=int(seconds), path="/", secure=self._secure(), httponly=True, samesite="Lax"
        )


def _code(request: web.Request) -> str:
    """The town hall to come back to. Raises HTTPBadRequest."""
    code = request.query.get("code", "")
    if not _CODE.fullmatch(code):
        raise web.HTTPBadRequest
    return code


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _put(kept: OrderedDict[Any, Any], key: Any, value: Any, now: float) -> None:
    """Keep it, and drop what is over: bounded by limits.sign_ins."""
    while kept and (len(kept) >= limit("sign_ins") or next(iter(kept.values())).until <= now):
        kept.popitem(last=False)
    kept[key] = value


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
