"""Single sign-on by OpenID Connect: Authorization Code with PKCE, and a short session at the issuer's origin.

The provider says who somebody is; kept is that, as a keyed id, in memory, for as long as it takes to get a signature.
"""

import hashlib
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, get_args
from urllib.parse import urlencode

import structlog
from aiohttp import web
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc.errors import JoseError

from protocol.grants import GrantedRole
from protocol.limits import limit
from protocol.refusals import Refusal
from protocol.setup import EligibilityKind
from server.http.security import headers
from server.issuer.eligibility import Issuance
from server.issuer.login import LOGIN_S, Login, Logins
from server.issuer.people import People
from server.issuer.provider import Provider, ProviderFailed
from server.issuer.routes import b64, unb64
from server.issuer.staff import StaffGrants
from server.settings import Settings

log = structlog.get_logger()

SESSION_S: Final = 900.0
"""How long somebody who has signed in is known, if they do not get their entry before."""
PATHS: Final = {"login": "/oidc", "session": "/api/v1/issuances"}
"""Where a browser sends each cookie, and nowhere else: cookies know no ports, so a neighbour on this host name would get them."""

_CODE: Final = re.compile(r"[A-Z0-9]{4,10}")
"""As protocol.names.HallCode."""
_TAB: Final = re.compile(r"[A-Za-z0-9_-]{16,64}")


@dataclass(frozen=True, slots=True)
class _Session:
    """Somebody who has signed in to take part in `code`. `eligible`: the claim that is asked for was there."""

    code: str
    person: tuple[bytes, ...]
    eligible: bool
    until: float


class Oidc:
    """The way of being eligible by single sign-on, and staff's way to their role. `public_url()`: the issuer's own origin,
    known once it listens. `chat_url(code)`: origin of the chat of a town hall, None where there is none. `key`: seals
    sign-ins under way; without one they do not survive a restart.
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
        key: bytes = b"",
    ) -> None:
        self._staff = staff
        self._chat_url = chat_url
        self._settings = settings
        self._people = people
        self._public_url = public_url
        self._clock = clock
        self._wall = wall
        self._logins = Logins(key or secrets.token_bytes(32), wall)
        self._provider = Provider(settings, self._redirect_uri, clock, wall)
        self._sessions: OrderedDict[bytes, _Session] = OrderedDict()

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
        session = self._sessions.get(self._session_of(request))
        if session is None or session.code != issuance.code or session.until <= self._clock():
            return Refusal("sign_in")
        return session.person if session.eligible else Refusal("not_eligible")

    def given(self, request: web.Request, response: web.StreamResponse) -> None:
        """The session ends with the signature, here and in the browser. An answer that is lost takes another sign-in."""
        self._sessions.pop(self._session_of(request), None)
        self._drop_cookie(response, "session")

    def _session_of(self, request: web.Request) -> bytes:
        return _hash(request.cookies.get(self._cookie("session"), ""))

    # --- signing in ---
    async def _login(self, request: web.Request) -> web.StreamResponse:
        """To the provider. `?code=`: the town hall to come back to. `?tab=`: what its page will know its own return by."""
        tab = request.query.get("tab", "")
        if tab and not _TAB.fullmatch(tab):
            raise web.HTTPBadRequest
        return await self._begin(_code(request), "", tab)

    async def _staff_login(self, request: web.Request) -> web.StreamResponse:
        """The same, for staff of a town hall. `?role=`: which role, where somebody has several."""
        code, role = _code(request), request.query.get("role", "any")
        if role not in ("any", *get_args(GrantedRole)):
            raise web.HTTPBadRequest
        if self._staff is None or self._chat_url is None or await self._chat_url(code) is None:
            raise web.HTTPNotFound
        return await self._begin(code, role, "")

    async def _begin(self, code: str, staff: str, tab: str) -> web.StreamResponse:
        state, nonce, verifier = f"{code}.{secrets.token_urlsafe(32)}", secrets.token_urlsafe(32), secrets.token_urlsafe(48)
        login = Login(code, state, nonce, verifier, self._wall() + LOGIN_S, staff, tab)
        try:
            metadata = await self._provider.metadata()
        except ProviderFailed:
            return self._back(login, "provider")
        # A name is asked for where the log will call somebody by it, and nowhere else.
        scopes = dict.fromkeys((*self._settings.oidc_scopes, *(("profile",) if staff else ())))
        address = prepare_grant_uri(
            metadata["authorization_endpoint"],
            client_id=self._settings.oidc_client_id,
            response_type="code",
            redirect_uri=self._redirect_uri(),
            scope=" ".join(scopes),
            state=state,
            nonce=nonce,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
        )
        response = web.Response(status=303, headers={**headers("api"), "Location": address})
        self._set_cookie(response, "login", b64(self._logins.seal(login)), LOGIN_S)
        return response

    async def _callback(self, request: web.Request) -> web.StreamResponse:
        """Back from the provider (OpenID Connect Core, 3.1.2.5), whose code is good once."""
        query = request.query
        state = query.get("state", "")
        login = self._logins.opened(unb64(request.cookies.get(self._cookie("login"), "")), state)
        if login is None:
            code = state.partition(".")[0]
            if not _CODE.fullmatch(code):
                raise web.HTTPBadRequest
            # The cookie stays: it may be of a sign-in that is under way.
            return self._back(Login(code, "", "", "", 0.0), "expired")
        if "error" in query or not query.get("code"):
            return self._without_login(self._back(login, "refused"))
        try:
            claims = await self._provider.claims(query["code"], login.verifier, login.nonce, query.get("iss"))
        except (ProviderFailed, JoseError, KeyError, ValueError) as error:
            log.warning("sign_in_failed", why=type(error).__name__)
            return self._without_login(self._back(login, "provider"))
        if login.staff:
            return await self._granted(login, claims)
        token = secrets.token_urlsafe(32)
        session = _Session(login.code, self._who(claims), self._eligible(claims), self._clock() + SESSION_S)
        _put(self._sessions, _hash(token), session, self._clock())
        response = self._back(login, "signed" if session.eligible else "not_eligible")
        self._set_cookie(response, "session", token, SESSION_S)
        return self._without_login(response)

    async def _granted(self, login: Login, claims: Mapping[str, Any]) -> web.StreamResponse:
        """To their page at the chat, with a grant in the fragment, which goes to no server. No session is left here."""
        assert self._staff is not None and self._chat_url is not None
        chat = await self._chat_url(login.code)
        found = self._staff.granted(login.code, "" if login.staff == "any" else login.staff, claims, self._values(claims))
        if found is None or chat is None:
            return self._without_login(self._back(login, "not_staff"))
        grant, text = found
        place = f"{chat}/{grant.role}/{login.code}#grant={text}"
        return self._without_login(web.Response(status=303, headers={**headers("api"), "Location": place}))

    def _without_login(self, response: web.Response) -> web.Response:
        self._drop_cookie(response, "login")
        return response

    def _back(self, login: Login, how: str) -> web.Response:
        told = {"oidc": how, "staff": login.staff, "tab": login.tab}
        query = urlencode({name: value for name, value in told.items() if value})
        return web.Response(status=303, headers={**headers("api"), "Location": f"/admit/{login.code}?{query}"})

    # --- who it is ---
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
        """`__Secure-`: set over https alone (RFC 6265bis, 4.1.3.1). Plain on http, for trying it out."""
        return f"__Secure-townhall-{name}" if self._secure() else f"townhall-{name}"

    def _set_cookie(self, response: web.Response, name: str, value: str, seconds: float) -> None:
        response.set_cookie(
            *(self._cookie(name), value),
            max_age=int(seconds),
            path=PATHS[name],
            secure=self._secure(),
            httponly=True,
            samesite="Lax",
        )

    def _drop_cookie(self, response: web.StreamResponse, name: str) -> None:
        response.del_cookie(self._cookie(name), path=PATHS[name], secure=self._secure(), httponly=True, samesite="Lax")


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
