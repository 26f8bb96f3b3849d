"""A sign-in under way is in the browser alone: nobody can push it out, and cookies go where they are needed only."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from yarl import URL

from loadtests.ports import free_ports
from protocol.limits import LIMITS, Limit
from server.issuer import provider as provider_module
from server.issuer.login import LOGIN_S, Login, Logins
from server.issuer.provider import AGAIN_S, Provider, ProviderFailed
from server.settings import Settings
from tests.issuer.provider import SECRET, providing, walk
from tests.issuer.serving import Served, blinded, browser, issuing

TAB = "a-value-of-this-tab-alone"


@pytest.fixture(scope="module")
def port() -> int:
    return free_ports(1)[0]


@pytest.fixture(scope="module")
def provider(port: int) -> Iterator[str]:
    with providing(port, {}) as address:
        yield address


@pytest.fixture
async def served(tmp_path: Path, provider: str, port: int, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Served]:
    monkeypatch.setitem(LIMITS, "sign_ins", Limit(5, "sign-ins", "-", "-"))
    (tmp_path / "client-secret").write_text(SECRET + "\n")
    chosen = {"issuer_port": port, "oidc_issuer": provider, "oidc_client_id": "townhall"}
    async with issuing(tmp_path / "data", **chosen, oidc_client_secret_file=str(tmp_path / "client-secret")) as found:
        for code in ("TESTED", "OTHER1"):
            await found.issuance("oidc", code=code)
        yield found


async def begun(served: Served, person: aiohttp.ClientSession, query: str = "") -> str:
    """Where the provider would be asked; the `state` of it."""
    url = f"{served.issuer.url}/oidc/login?code=TESTED{query}"
    async with person.get(url, allow_redirects=False) as response:
        return parse_qs(urlsplit(response.headers["Location"]).query)["state"][0]


async def comes_back(served: Served, person: aiohttp.ClientSession, query: str) -> str:
    async with person.get(f"{served.issuer.url}/oidc/callback?{query}", allow_redirects=False) as response:
        return response.headers.get("Location", str(response.status))


async def test_anonymous_sign_ins_push_out_nobody(served: Served) -> None:
    async with browser() as person, browser() as attacker:
        back = await walk(person, f"{served.issuer.url}/oidc/login?code=TESTED", "sky", stop=f"{served.issuer.url}/oidc/callback")
        for _ in range(12):
            await begun(served, attacker)
        async with person.get(back, allow_redirects=False) as response:
            assert response.headers["Location"] == "/admit/TESTED?oidc=signed"
        assert (await served.sign("oidc", by=person))[0] == 200


async def test_the_tab_that_began_it_knows_its_own_return(served: Served) -> None:
    async with browser() as person:
        back = await walk(person, f"{served.issuer.url}/oidc/login?code=TESTED&tab={TAB}", "sky")
        assert parse_qs(urlsplit(back).query) == {"oidc": ["signed"], "tab": [TAB]}
        state = await begun(served, person, f"&tab={TAB}")
        assert await comes_back(served, person, f"state={state}&error=x") == f"/admit/TESTED?oidc=refused&tab={TAB}"
        back = await walk(person, f"{served.issuer.url}/oidc/login?code=TESTED", "sky")
        assert "tab" not in back
        for bad in ("x", "a" * 65, "a b" * 6, "%0d%0a" * 8):
            async with person.get(f"{served.issuer.url}/oidc/login?code=TESTED&tab={bad}", allow_redirects=False) as response:
                assert response.status == 400


async def test_a_made_up_code_costs_others_nothing(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    real = provider_module._json

    async def counted(session: Any, method: str, url: str, **options: Any) -> Any:
        asked.append(url.rpartition("/")[2])
        return await real(session, method, url, **options)

    monkeypatch.setattr(provider_module, "_json", counted)
    async with browser() as person:
        for _ in range(5):
            state = await begun(served, person)
            assert (await comes_back(served, person, f"state={state}&code=made-up")).endswith("oidc=provider")
    assert asked.count("openid-configuration") == 1 and asked.count("token") == 5, asked


async def test_cookies_go_where_they_are_needed_and_end_with_the_signature(served: Served) -> None:
    async with browser() as person:
        await walk(person, f"{served.issuer.url}/oidc/login?code=TESTED", "sky")

        def sent(path: str, port: int = URL(served.issuer.url).port or 0) -> set[str]:
            jar: Any = person.cookie_jar
            found = jar.filter_cookies(URL(f"http://{URL(served.issuer.url).host}:{port}{path}"))
            return {name for name in found if name.startswith("townhall")}

        assert sent("/api/v1/issuances/TESTED/sign") == {"townhall-session"}
        # Another port of this host is another server, and no other site to a browser's cookies.
        for path in ("/", "/t/TESTED", "/api/v1/halls/TESTED/redeem", "/api/v1/halls/TESTED/nonce", "/admit/TESTED"):
            assert sent(path, 9) == sent(path) == set(), path
        async with person.post(
            f"{served.issuer.url}/api/v1/issuances/TESTED/sign",
            json={"blinded": blinded(), "kind": "oidc"},
            headers={"Origin": served.issuer.url, "Sec-Fetch-Site": "same-origin"},
        ) as response:
            assert response.status == 200
            (cookie,) = response.headers.getall("Set-Cookie")
        assert cookie.startswith("townhall-session=") and "Max-Age=0" in cookie and "Path=/api/v1/issuances" in cookie
        assert not sent("/api/v1/issuances/TESTED/sign")


async def test_a_session_is_good_for_the_town_hall_that_it_was_made_for(served: Served) -> None:
    async with browser() as person:
        await walk(person, f"{served.issuer.url}/oidc/login?code=TESTED", "sky")
        assert (await served.sign("oidc", by=person, code="OTHER1"))[1]["error"]["code"] == "sign_in"
        assert (await served.sign("oidc", by=person))[0] == 200


# --- the cookie ---
def test_a_sealed_sign_in_opens_for_its_own_state_and_in_time() -> None:
    now = [1_000.0]
    logins = Logins(b"k" * 32, lambda: now[0])
    login = Login("TESTED", "TESTED.s", "n", "v", now[0] + LOGIN_S, "host", TAB)
    sealed = logins.seal(login)
    assert logins.opened(sealed, "TESTED.s") == login and logins.seal(login) != sealed
    assert b"TESTED" not in sealed and TAB.encode() not in sealed
    assert logins.opened(sealed, "TESTED.t") is None
    for place in range(len(sealed)):
        assert logins.opened(sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :], "TESTED.s") is None
    for bad in (b"", b"x", sealed[:-1], sealed + b"\0"):
        assert logins.opened(bad, "TESTED.s") is None
    assert Logins(b"l" * 32, lambda: now[0]).opened(sealed, "TESTED.s") is None
    now[0] += LOGIN_S
    assert logins.opened(sealed, "TESTED.s") is None


# --- the provider's keys ---
async def test_new_keys_are_asked_for_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    now, asked = [10_000.0], [0]
    keys = [RSAKey.generate_key(2048, {"kid": kid}, private=True) for kid in ("one", "two")]
    published = [keys[0]]

    async def answers(session: Any, method: str, url: str, **options: Any) -> dict[str, Any]:
        if url.endswith("/jwks"):
            return {"keys": [key.as_dict(private=False) for key in published]}
        if url.endswith("/token"):
            said = {"iss": "https://p", "aud": "townhall", "sub": "1", "nonce": "n", "iat": int(now[0]), "exp": int(now[0]) + 60}
            return {"id_token": jwt.encode({"alg": "RS256", "kid": signing[0].kid}, said, signing[0])}
        asked[0] += 1
        ends = {name: f"https://p/{name.partition('_')[0]}" for name in ("authorization_endpoint", "token_endpoint")}
        return {"issuer": "https://p", "jwks_uri": "https://p/jwks", **ends}

    monkeypatch.setattr(provider_module, "_json", answers)
    settings = Settings(oidc_client_id="townhall", oidc_issuer="https://p")
    provider = Provider(settings, lambda: "https://a/oidc/callback", lambda: now[0], lambda: now[0])
    signing = [keys[0]]

    async def signs_in() -> bool:
        try:
            return bool((await provider.claims("code", "v", "n", None))["sub"] == "1")
        except Exception:
            return False

    assert await signs_in() and await signs_in() and asked == [1]
    signing[0] = keys[1]
    assert not await signs_in() and asked == [1], "asked a moment ago"
    now[0] += AGAIN_S
    published.append(keys[1])
    assert await signs_in() and asked == [2]
    signing[0] = RSAKey.generate_key(2048, {"kid": "three"}, private=True)
    assert [await signs_in() for _ in range(3)] == [False] * 3 and asked == [2]
    with pytest.raises(ProviderFailed):
        await provider.claims("code", "v", "n", "https://another")
