"""Single sign-on with a certified provider that really runs: Authorization Code with PKCE, a short session, nothing kept."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from loadtests.ports import free_ports
from protocol.limits import limit
from server.issuer.login import LOGIN_S
from server.issuer.oidc import SESSION_S, Oidc, _put
from server.issuer.people import People
from server.issuer.provider import Provider, ProviderFailed
from server.secret import Secret
from server.settings import Settings
from tests.issuer.provider import SECRET, providing, walk
from tests.issuer.serving import Served, blinded, browser, issuing

GROUPS = {"outsider": ["visitors"], "sea": ["staff", "union"]}


@pytest.fixture(scope="module")
def port() -> int:
    """Of the issuers of these tests, one after another: the provider knows where it may send people back to."""
    return free_ports(1)[0]


@pytest.fixture(scope="module")
def provider(port: int) -> Iterator[str]:
    """A provider; its address."""
    with providing(port, GROUPS) as address:
        yield address


@pytest.fixture
async def served(tmp_path: Path, provider: str, port: int) -> AsyncIterator[Served]:
    """An issuer that asks a provider; eligible are those in the group `staff`."""
    (tmp_path / "client-secret").write_text(SECRET + "\n")
    chosen = {
        "issuer_port": port,
        "oidc_issuer": provider,
        "oidc_client_id": "townhall",
        "oidc_client_secret_file": str(tmp_path / "client-secret"),
        "oidc_eligible": ("staff",),
    }
    async with issuing(tmp_path / "data", **chosen) as found:
        await found.issuance("oidc", "invitation")
        yield found


async def signed_in(served: Served, person: aiohttp.ClientSession, login: str) -> str:
    """How the sign-in ended."""
    back = await walk(person, f"{served.issuer.url}/oidc/login?code=TESTED", login)
    assert urlsplit(back).path == "/admit/TESTED"
    return parse_qs(urlsplit(back).query)["oidc"][0]


async def test_whoever_signs_in_gets_one_entry(served: Served) -> None:
    async with browser() as person:
        status, ack = await served.sign("oidc", by=person)
        assert (status, ack["error"]["code"]) == (401, "sign_in")
        assert await signed_in(served, person, "sky") == "signed"
        value = blinded()
        _, first = await served.sign("oidc", value=value, by=person)
        assert first["ok"], first
        # The session has ended with the signature. Whoever lost the answer signs in again.
        assert (await served.sign("oidc", value=value, by=person))[1]["error"]["code"] == "sign_in"
        assert await signed_in(served, person, "sky") == "signed"
        assert (await served.sign("oidc", value=value, by=person))[1]["data"] == first["data"]
        assert await signed_in(served, person, "sky") == "signed"
        status, ack = await served.sign("oidc", by=person)
        assert (status, ack["error"]["code"]) == (409, "already_issued")


async def test_a_second_device_of_the_same_person_gets_no_second_entry(served: Served) -> None:
    async with browser() as phone, browser() as desk:
        for device in (phone, desk):
            assert await signed_in(served, device, "sky") == "signed"
        assert (await served.sign("oidc", by=phone))[0] == 200
        assert (await served.sign("oidc", by=desk))[1]["error"]["code"] == "already_issued"


async def test_fifty_requests_of_one_person_at_once_get_exactly_one_entry(served: Served) -> None:
    async with browser() as person:
        await signed_in(served, person, "sky")
        answers = await asyncio.gather(*(served.sign("oidc", by=person) for _ in range(50)))
    assert sorted(status for status, _ in answers)[0] == 200
    assert {status for status, _ in answers if status != 200} <= {401, 409} and len([s for s, _ in answers if s == 200]) == 1


async def test_who_lacks_the_group_is_not_eligible(served: Served) -> None:
    async with browser() as person:
        assert await signed_in(served, person, "outsider") == "not_eligible"
        status, ack = await served.sign("oidc", by=person)
        assert (status, ack["error"]["code"]) == (403, "not_eligible")


async def test_an_invitation_and_single_sign_on_of_one_address_are_one_person(served: Served) -> None:
    made = await served.invite("name,email\nx,Sea@town.example.org\n")
    code = made.raw.decode().splitlines()[1].split(",")[3]
    async with browser() as person:
        assert await signed_in(served, person, "sea") == "signed"
        assert (await served.sign("oidc", by=person))[0] == 200
        assert (await served.sign("invitation", code))[1]["error"]["code"] == "already_issued"


async def test_an_address_that_the_provider_did_not_verify_is_nobodys(served: Served) -> None:
    made = await served.invite("name,email\nx,unverified-x@town.example.org\n")
    code = made.raw.decode().splitlines()[1].split(",")[3]
    async with browser() as person:
        await signed_in(served, person, "unverified-x")
        assert (await served.sign("oidc", by=person))[0] == 200
    assert (await served.sign("invitation", code))[0] == 200


async def test_the_session_is_a_cookie_of_this_origin_that_no_script_reads(served: Served) -> None:
    async with browser() as person:
        url = f"{served.issuer.url}/oidc/login?code=TESTED"
        async with person.get(url, allow_redirects=False) as response:
            (cookie,) = response.headers.getall("Set-Cookie")
            asked = parse_qs(urlsplit(response.headers["Location"]).query)
        assert (
            cookie.startswith("townhall-login=")
            and "HttpOnly" in cookie
            and "SameSite=Lax" in cookie
            and "Path=/oidc;" in f"{cookie};"
        )
        assert "Domain" not in cookie
        assert asked["code_challenge_method"] == ["S256"] and asked["response_type"] == ["code"]
        assert len(asked["state"][0]) >= 43 and len(asked["nonce"][0]) >= 43


@pytest.mark.parametrize(
    ("public_url", "name"), [("https://admit.example.org", "__Secure-townhall-x"), ("http://a", "townhall-x")]
)
def test_over_https_the_cookie_is_set_over_https_alone(public_url: str, name: str) -> None:
    oidc = Oidc(Settings(), People(Secret(b"s" * 32)), lambda: public_url)
    assert oidc._cookie("x") == name
    assert oidc._secure() == public_url.startswith("https")


async def test_a_sign_in_that_another_browser_began_is_refused(served: Served) -> None:
    async with browser() as attacker, browser() as victim:
        back = await walk(
            attacker, f"{served.issuer.url}/oidc/login?code=TESTED", "sky", stop=f"{served.issuer.url}/oidc/callback"
        )
        async with victim.get(back, allow_redirects=False) as response:
            assert response.headers["Location"] == "/admit/TESTED?oidc=expired"
        assert (await served.sign("oidc", by=victim))[0] == 401
        # A sign-in that the victim has under way is still theirs.
        async with attacker.get(back, allow_redirects=False) as response:
            assert response.headers["Location"] == "/admit/TESTED?oidc=signed"
        # And a code is good once: the provider says so.
        async with attacker.get(back, allow_redirects=False) as response:
            assert response.headers["Location"] == "/admit/TESTED?oidc=expired"


@pytest.mark.parametrize(
    ("query", "how"),
    [
        ("", ""),
        ("?state=x&code=y", ""),
        ("?state=TESTED.x&code=y", "expired"),
        ("?error=access_denied&state={state}", "refused"),
        ("?state={state}", "refused"),
    ],
)
async def test_a_return_that_is_none_is_told(served: Served, query: str, how: str) -> None:
    async with browser() as person:
        async with person.get(f"{served.issuer.url}/oidc/login?code=TESTED", allow_redirects=False) as response:
            state = parse_qs(urlsplit(response.headers["Location"]).query)["state"][0]
        url = f"{served.issuer.url}/oidc/callback{query.format(state=state)}"
        async with person.get(url, allow_redirects=False) as response:
            if not how:
                assert response.status == 400
            else:
                assert response.status == 303 and response.headers["Location"].endswith(f"oidc={how}")


async def test_a_made_up_code_is_refused_by_the_provider(served: Served) -> None:
    async with browser() as person:
        async with person.get(f"{served.issuer.url}/oidc/login?code=TESTED", allow_redirects=False) as response:
            state = parse_qs(urlsplit(response.headers["Location"]).query)["state"][0]
        async with person.get(f"{served.issuer.url}/oidc/callback?state={state}&code=x", allow_redirects=False) as response:
            assert response.headers["Location"] == "/admit/TESTED?oidc=provider"
        assert (await served.sign("oidc", by=person))[0] == 401


@pytest.mark.parametrize("headers", [{}, {"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
async def test_a_page_of_another_site_cannot_ask_in_somebodys_name(served: Served, headers: dict[str, str]) -> None:
    async with browser() as person:
        await signed_in(served, person, "sky")
        body = {"blinded": blinded(), "kind": "oidc"}
        url = f"{served.issuer.url}/api/v1/issuances/TESTED/sign"
        if "Sec-Fetch-Site" in headers:
            headers = {**headers, "Origin": served.issuer.url}
        async with person.post(url, json=body, headers=headers) as response:
            assert response.status == 403
        assert (await served.sign("oidc", by=person))[0] == 200


@pytest.mark.parametrize("code", ["", "../x", "http://evil.example/", "A B", "%0d%0aX: y", "한글"])
async def test_the_way_back_leads_nowhere_else(served: Served, code: str) -> None:
    async with browser() as person:
        url = f"{served.issuer.url}/oidc/login"
        async with person.get(url, params={"code": code}, allow_redirects=False) as response:
            place = response.headers.get("Location", "")
            assert response.status == 400 or "evil" not in place


async def test_nothing_that_the_provider_says_is_kept_or_logged(
    served: Served, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async with browser() as person:
        await signed_in(served, person, "sky")
        await served.sign("oidc", by=person)
        async with person.get(f"{served.issuer.url}/oidc/callback?state=x&code=canary-code", allow_redirects=False):
            pass
        cookies = [cookie.value for cookie in person.cookie_jar if cookie.key.startswith("townhall")]
    files = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())
    said = "".join(capfd.readouterr())
    for trace in ("sky@", "sky", "canary-code", *cookies):
        assert trace.encode() not in files and (trace not in said or trace == "sky"), trace


# --- what an ID token must say ---
KEY = RSAKey.generate_key(2048, {"kid": "one"}, private=True)
PROVIDER = {"issuer": "https://login.example.org"}


class Clock:
    now = 1_795_000_000.0

    def __call__(self) -> float:
        return self.now


def checked(key: RSAKey = KEY, header: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """The claims of a token that says what it should, but for `changes` (None: left out)."""
    clock = Clock()
    said: dict[str, Any] = {"iss": "https://login.example.org", "aud": "townhall", "sub": "1", "nonce": "n"}
    said |= {"iat": int(clock.now), "exp": int(clock.now) + 300}
    said = {name: value for name, value in (said | changes).items() if value is not None}
    token = jwt.encode({"alg": "RS256", "kid": "one", **(header or {})}, said, key)
    keys = KeySet.import_key_set({"keys": [KEY.as_dict(private=False)]})
    settings = Settings(oidc_client_id="townhall", oidc_issuer="https://login.example.org")
    provider = Provider(settings, lambda: "https://admit.example.org/oidc/callback", wall=clock)
    provider._metadata, provider._keys = PROVIDER, keys
    return provider.checked(token, "n")


def test_a_token_as_it_should_be_is_taken() -> None:
    assert checked()["sub"] == "1"
    assert checked(aud=["townhall"])["sub"] == "1"
    assert checked(aud=["townhall", "other"], azp="townhall")["sub"] == "1"


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example"},
        {"aud": "other"},
        {"aud": ["townhall", "other"]},
        {"azp": "other"},
        {"nonce": "another"},
        {"nonce": None},
        {"sub": None},
        {"exp": None},
        {"exp": int(Clock.now) - 61},
        {"iat": int(Clock.now) + 3_600},
        {"key": RSAKey.generate_key(2048, {"kid": "one"}, private=True)},
        {"header": {"kid": "two"}},
    ],
    ids=str,
)
def test_a_token_that_is_not_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises((ValueError, ProviderFailed, Exception)):
        checked(**changes)


def test_an_unsigned_token_is_refused() -> None:
    import base64

    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    said = {"iss": PROVIDER["issuer"], "aud": "townhall", "sub": "1", "nonce": "n", "exp": 2**40, "iat": 1}
    token = f"{part({'alg': 'none'})}.{part(said)}."
    keys = KeySet.import_key_set({"keys": [KEY.as_dict(private=False)]})
    provider = Provider(Settings(oidc_client_id="townhall"), lambda: "https://a/oidc/callback")
    provider._metadata, provider._keys = PROVIDER, keys
    with pytest.raises(Exception, match=r"(?i)alg"):
        provider.checked(token, "n")


def test_what_is_kept_has_a_bound_and_an_end() -> None:
    from collections import OrderedDict

    class Item:
        def __init__(self, until: float) -> None:
            self.until = until

    kept: OrderedDict[int, Item] = OrderedDict()
    for number in range(limit("sign_ins") + 5):
        _put(kept, number, Item(10.0), 1.0)
    assert len(kept) == limit("sign_ins")
    _put(kept, -1, Item(20.0), 10.0)
    assert list(kept) == [-1]
    assert LOGIN_S <= 600 and SESSION_S <= 900
