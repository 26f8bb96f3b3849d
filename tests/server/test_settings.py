"""Settings: from a file, the environment and the command line; what is not known or does not fit is refused."""

from pathlib import Path
from typing import Any

import pytest

from server.settings import BadSettings, Settings, load, markdown

ROOT = Path(__file__).parents[2]


def refused(**environ: str) -> str:
    with pytest.raises(BadSettings) as caught:
        load(environ={f"TOWNHALL_{name.upper()}": value for name, value in environ.items()})
    assert caught.value.words("ko") != caught.value.words("en")
    return caught.value.words("en")


def test_without_anything_all_is_default() -> None:
    assert load(environ={}) == (Settings(), {})


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "some.toml"
    file.write_text('port = 1\nhost = "0.0.0.0"\ndrain_s = 1\n')
    settings, sources = load(file, {"TOWNHALL_PORT": "2", "TOWNHALL_HOST": "::"}, {"port": 3, "host": None})
    assert (settings.port, settings.host, settings.drain_s) == (3, "::", 1.0)
    assert sources == {"port": "command line", "host": "TOWNHALL_HOST", "drain_s": str(file)}


def test_the_file_of_the_working_folder_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "townhall.toml").write_text("port = 9\n")
    monkeypatch.chdir(tmp_path)
    assert load(environ={})[0].port == 9


def test_a_value_that_equals_its_default_is_not_told() -> None:
    assert load(environ={"TOWNHALL_PORT": "8420"})[1] == {}


def test_lists_come_from_the_environment_with_commas() -> None:
    settings, _ = load(environ={"TOWNHALL_TRUSTED_PROXIES": "10.0.0.0/8, ::1/128"})
    assert settings.trusted_proxies == ("10.0.0.0/8", "::1/128")


def test_an_unknown_name_is_refused_with_the_nearest_known_one() -> None:
    assert "prot is not a setting. Did you mean port?" in refused(prot="1")
    assert "TOWNHALL_XYZZY: xyzzy is not a setting" in refused(xyzzy="1")


def test_everything_that_is_wrong_is_told_at_once() -> None:
    assert len(refused(port="x", fsync="never", nonsense="1").splitlines()) == 3


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "65536"),
        ("port", "many"),
        ("host", ""),
        ("memory_max_mb", "63"),
        ("drain_s", "61"),
        ("fsync", "sometimes"),
        ("public_url", "town.example.org"),
        ("public_url", "https://town.example.org/path"),
        ("origins", "https://a.example.org/,https://b.example.org"),
        ("trusted_proxies", "10.0.0.1/8"),
        ("redis_url", "http://localhost"),
        ("time_zone", "Mars/Olympus"),
        ("time_zone", "../etc/passwd"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_what_would(name: str, value: str) -> None:
    assert f"TOWNHALL_{name.upper()}: the value of {name} cannot be used. It must be: " in refused(**{name: value})


def test_a_password_in_a_refused_address_is_not_shown() -> None:
    assert "hunter2" not in refused(redis_url="htps://me:hunter2@store")


@pytest.mark.parametrize("text", ["port = ", "port = 1\nport = 2", b"\xff\xfe"])
def test_a_file_that_is_no_toml_is_refused_by_name(tmp_path: Path, text: Any) -> None:
    file = tmp_path / "bad.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(BadSettings, match=r"bad\.toml cannot be read"):
        load(file, {})


def test_the_manual_names_every_setting_with_its_default() -> None:
    rows = [line for line in markdown().splitlines() if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == list(Settings.__struct_fields__)
    assert all(row.count("|") == 6 for row in rows)


def test_the_manual_in_the_docs_is_this_one() -> None:
    assert (ROOT / "docs/reference/settings.md").read_text("utf-8") == markdown()
