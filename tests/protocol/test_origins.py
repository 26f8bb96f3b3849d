"""Addresses as browsers read them: host names, origins, and which of them share cookies."""

import pytest

from protocol.origins import host_of, is_literal, is_loopback, is_origin, is_safe_address, is_safe_origin, same_host

SAME = [
    ("https://town.example.org", "https://town.example.org:8443"),
    ("https://town.example.org", "http://TOWN.example.org"),
    ("https://town.example.org", "https://town.example.org."),
    ("https://town.example.org/", "https://town.example.org:1/x"),
    ("http://[::1]:1", "http://[0:0:0:0:0:0:0:1]:2"),
    ("https://마을.example.org", "https://xn--hz2bq0w.example.org"),
    ("http://10.0.0.1", "http://10.0.0.1:8421"),
]
OTHER = [
    ("https://town.example.org", "https://admit.example.org"),
    ("https://town.example.org", "https://town.example.org.kr"),
    ("http://127.0.0.1:8420", "http://localhost:8421"),
    ("http://127.0.0.1", "http://127.0.0.2"),
    ("", ""),
    ("javascript:1", "javascript:1"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_addresses_that_share_cookies(one: str, other: str) -> None:
    assert same_host(one, other) and same_host(other, one)


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_addresses_that_do_not(one: str, other: str) -> None:
    assert not same_host(one, other) and not same_host(other, one)


@pytest.mark.parametrize(
    "url", ["http://127.1", "http://0x7f.0.0.1", "http://2130706433", "http://a.0x1", "http://a b", "https://a\\b", "https://%61"]
)
def test_what_programs_read_differently_has_no_host(url: str) -> None:
    assert host_of(url) == "" and not is_origin(url)


ORIGINS = [
    "https://admit.example.org",
    "https://admit.example.org:8443",
    "http://127.0.0.1:8421",
    "http://localhost",
    "http://[::1]:1",
]
NONE = [
    "javascript:alert(1)",
    "javascript://admit.example.org/%0aalert(1)",
    "data:text/html,x",
    "https://admit.example.org/",
    "https://admit.example.org/path",
    "https://admit.example.org?x",
    "https://admit.example.org#x",
    "https://me@admit.example.org",
    "https://me:secret@admit.example.org",
    "https://admit.example.org:99999",
    "https://admit.example.org\n",
    " https://admit.example.org",
    "https://마을.example.org",
    "https://Admit.example.org",
    "https://admit.example.org:443",
    "http://localhost:80",
    "//admit.example.org",
    "https://",
    "https:admit.example.org",
    "ftp://admit.example.org",
]


@pytest.mark.parametrize("url", ORIGINS)
def test_an_origin(url: str) -> None:
    assert is_origin(url) and is_safe_origin(url) and is_safe_address(url) and is_safe_address(f"{url}/live/x.m3u8?a=b")


@pytest.mark.parametrize("url", NONE)
def test_what_is_no_origin(url: str) -> None:
    assert not is_origin(url) and not is_safe_origin(url)


@pytest.mark.parametrize("url", ["http://admit.example.org", "http://localhost.evil.example", "http://127.0.0.1.evil.example"])
def test_plain_http_is_for_this_machine_alone(url: str) -> None:
    assert is_origin(url) and not is_safe_origin(url) and not is_safe_address(url)


def test_this_machine_and_names_that_nobody_can_lead_elsewhere() -> None:
    assert all(is_loopback(host) for host in ("127.0.0.1", "127.9.9.9", "[::1]", "::1", "LOCALHOST.", "a.localhost"))
    assert not any(is_loopback(host) for host in ("10.0.0.1", "localhost.example", "127.evil.example", ""))
    assert all(is_literal(host) for host in ("10.0.0.1", "[2001:db8::1]", "localhost"))
    assert not any(is_literal(host) for host in ("evil.example", "", "1.evil"))
