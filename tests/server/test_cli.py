"""The command line: every command, as a process of its own, and a clear sentence for what goes wrong."""

import asyncio
import contextlib
import json
import socket
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest

from protocol.sentences import section
from server.cli import main
from tests.server.command import environment, ran, started
from tests.waiting import until

COMMANDS = "serve demo create links invite log export audit verify-pages issuer issuance doctor settings".split()
CSV = "부서명,담당자\n기획조정실,한도윤\n건설교통국,편수호\n"


def flat(words: dict[str, object], prefix: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in words.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: str(value)}
    return found


@pytest.mark.parametrize("name", ["cli", "csv", "record"])
def test_both_languages_say_the_same_things(name: str) -> None:
    korean, english = flat(section("ko", name)), flat(section("en", name))
    assert korean.keys() == english.keys()
    for key, text in korean.items():
        names = {part.partition("}")[0] for part in text.split("{")[1:]}
        assert names == {part.partition("}")[0] for part in english[key].split("{")[1:]}, key


async def test_help_names_every_command(tmp_path: Path) -> None:
    code, out, _ = await ran("--help", folder=tmp_path)
    assert code == 0 and all(f"    {name} " in out or f"    {name}\n" in out for name in COMMANDS)
    _, korean, _ = await ran("--help", "--lang", "ko", folder=tmp_path, LANG="ko_KR.UTF-8")
    assert "서버를 실행합니다" in korean


@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_each_command_has_an_example(name: str, lang: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help", "--lang", lang])
    assert ended.value.code == 0
    assert f"townhall {name}" in capsys.readouterr().out


async def test_a_command_that_is_not_known_is_asked_wrongly(tmp_path: Path) -> None:
    assert (await ran("serf", folder=tmp_path))[0] == 2
    assert (await ran(folder=tmp_path))[0] == 2
    assert (await ran("log", "not a code", folder=tmp_path))[0] == 2


async def test_settings_that_are_not_known_stop_the_start(tmp_path: Path) -> None:
    (tmp_path / "townhall.toml").write_text("prot = 1\n")
    code, out, errors = await ran("serve", folder=tmp_path)
    assert (code, out) == (2, "")
    assert errors == "townhall.toml: prot is not a setting. Did you mean port?\n"
    code, _, errors = await ran("serve", "--lang", "ko", folder=tmp_path)
    assert code == 2 and "없는 설정입니다" in errors


async def test_settings_are_told_with_where_they_come_from_and_without_passwords(tmp_path: Path) -> None:
    _, out, _ = await ran("settings", folder=tmp_path)
    assert out == "all settings at their defaults\n"
    _, out, _ = await ran("settings", "--port", "9", folder=tmp_path, TOWNHALL_REDIS_URL="redis://me:hunter2@store:1")
    assert "port = 9   (command line)\n" in out and "redis_url = redis://…@store:1   (TOWNHALL_REDIS_URL)\n" in out
    assert "hunter2" not in out


async def test_a_server_serves_until_it_is_told_to_stop_and_leaves_nothing_running(tmp_path: Path) -> None:
    async with started("serve", "--port", "0", folder=tmp_path) as server:
        url = await server.says("listening on ")
        async with aiohttp.ClientSession() as session, session.get(f"{url}/healthz") as response:
            assert (await response.json())["ok"]
        children = [int(line) for line in _children(server.process.pid)]
        assert len(children) == 2, "its store and the issuer"
        assert await server.ends() == 0
        assert server.said[-1] == "stopping"
        await until(lambda: not any(Path(f"/proc/{child}").exists() for child in children))
    assert (tmp_path / "stderr").read_text() == ""
    assert (tmp_path / "data/secret").stat().st_mode & 0o777 == 0o600


def _children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


async def test_ctrl_c_ends_it_just_so(tmp_path: Path) -> None:
    import signal

    async with started("serve", "--port", "0", folder=tmp_path) as server:
        await server.says("listening on ")
        assert await server.ends(signal.SIGINT) == 0


async def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, _, errors = await ran("serve", "--port", str(port), folder=tmp_path)
        assert (code, errors) == (1, f"Port {port} is in use. Stop what uses it, or choose another with --port.\n")
    code, _, errors = await ran("serve", "--host", "192.0.2.1", folder=tmp_path)
    assert code == 1 and "192.0.2.1:8420" in errors and "Traceback" not in errors


async def test_a_second_server_on_a_data_folder_is_refused(tmp_path: Path) -> None:
    async with started("serve", "--port", "0", folder=tmp_path) as server:
        await server.says("listening on ")
        code, _, errors = await ran("serve", "--port", "0", folder=tmp_path)
        assert code == 1 and errors.startswith("Another townhall server is running on the data folder ./data.")


async def test_a_store_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    code, _, errors = await ran("serve", "--redis", "redis://me:hunter2@127.0.0.1:1", folder=tmp_path)
    assert code == 1 and errors.startswith("The store at 127.0.0.1:1 does not answer")
    assert "hunter2" not in errors and "Traceback" not in errors


async def test_a_damaged_secret_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/secret").write_text("damaged")
    code, _, errors = await ran("serve", "--port", "0", folder=tmp_path)
    assert code == 1 and "data/secret does not hold a secret of ours" in errors
    assert (tmp_path / "data/secret").read_text() == "damaged"


async def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    code, _, errors = await ran("serve", "--port", "0", folder=tmp_path)
    assert code == 1 and "data" in errors and "Traceback" not in errors


@pytest.mark.parametrize("who", ["open", "invitation", "oidc"])
async def test_a_town_hall_that_nobody_could_enter_is_not_made(tmp_path: Path, who: str) -> None:
    (tmp_path / "directors.csv").write_bytes(CSV.encode())
    arguments = ("--title", "x", "--directors", "directors.csv", "--code", "NOV24", "--who", who)
    code, out, errors = await ran("create", *arguments, folder=tmp_path, TOWNHALL_ISSUER="none")
    assert (code, out) == (1, "") and errors.startswith("No issuer runs here") and "--who link" in errors
    _, out, _ = await ran("links", folder=tmp_path, TOWNHALL_ISSUER="none")
    assert "NOV24" not in out and not (tmp_path / "data" / "issuer").exists()


async def test_who_may_take_part_is_asked_and_not_assumed(tmp_path: Path) -> None:
    (tmp_path / "directors.csv").write_bytes(CSV.encode())
    code, out, errors = await ran("create", "--title", "x", "--directors", "directors.csv", folder=tmp_path)
    assert (code, out) == (1, "") and all(f"--who {who}" in errors for who in ("invitation", "oidc", "open", "link"))
    assert "proves nothing" in errors
    code, out, errors = await ran("issuance", "NOV24", "--title", "x", folder=tmp_path)
    assert (code, out) == (1, "") and "--who invitation" in errors and "--who link" not in errors
    # Where no issuer runs there is one way only.
    arguments = ("--title", "x", "--directors", "directors.csv", "--code", "NOV24")
    code, out, _ = await ran("create", *arguments, folder=tmp_path, TOWNHALL_ISSUER="none")
    assert code == 0 and "NOV24" in out and "given out" not in out


async def test_a_join_card_has_the_code_the_address_and_a_picture_of_it(tmp_path: Path) -> None:
    (tmp_path / "directors.csv").write_bytes(CSV.encode())
    arguments = ("--title", "만남의 날", "--directors", "directors.csv", "--code", "NOV24", "--who", "link", "--card")
    code, out, _ = await ran("create", *arguments, folder=tmp_path)
    assert code == 0
    card = out.partition("audience: ")[2]
    assert "\n만남의 날\nCode: NOV24\nhttp://127.0.0.1:8420/t/NOV24\n" in card
    assert sum(line.count("█") + line.count("▀") + line.count("▄") > 8 for line in card.splitlines()) > 10


@pytest.mark.parametrize("beside_a_server", [False, True])
async def test_a_town_hall_is_created_listed_told_and_exported(tmp_path: Path, beside_a_server: bool) -> None:
    (tmp_path / "directors.csv").write_bytes(CSV.encode("cp949"))
    async with contextlib.AsyncExitStack() as stack:
        url = "http://127.0.0.1:8420"
        if beside_a_server:
            server = await stack.enter_async_context(started("serve", "--port", "0", folder=tmp_path))
            url = await server.says("listening on ")
        arguments = ("--title", "만남의 날", "--directors", "directors.csv", "--code", "nov24", "--open", "--who", "open")
        code, out, errors = await ran("create", *arguments, folder=tmp_path)
        assert (code, errors) == (0, "")
        first, until, audience, *staff, once = out.splitlines()
        assert until.startswith("Entries are given out until 2")
        assert once.startswith("These addresses are shown this once")
        assert (first, audience) == ("Town hall NOV24 was created.", f"audience: {url}/t/NOV24")
        assert [line.split(":")[0] for line in staff] == ["host", "director", "director", "overlay"]
        assert all(f"{url}/" in line and "/NOV24#" in line for line in staff)
        code, out, errors = await ran("create", *arguments, folder=tmp_path)
        assert code == 1 and errors.startswith("Refused: ")
        _, out, _ = await ran("links", folder=tmp_path)
        assert out.startswith(f"organiser: {url}/organiser#") and out.endswith("NOV24  open  만남의 날\n")
        _, out, _ = await ran("links", "nov24", folder=tmp_path)
        assert out.splitlines()[0] == audience
        assert [line.split()[1].split(":")[0] for line in out.splitlines()[1:]] == ["overlay", "director", "director", "host"]
        assert not any(line.partition("#")[2].split()[0] in out for line in staff)  # told once
        if beside_a_server:
            async with aiohttp.ClientSession() as session:
                async with session.get(f"{url}/api/v1/halls/NOV24") as response:
                    assert (await response.json())["data"]["phase"] == "open"
        _, out, _ = await ran("log", "NOV24", folder=tmp_path)
        assert [line.split()[0] for line in out.splitlines()] == [str(seq) for seq in range(1, 8)]
        code, out, _ = await ran("export", "NOV24", folder=tmp_path)
        assert code == 0 and [json.loads(line)["record"] for line in out.splitlines()] == ["town_hall", "sums"]
        code, out, _ = await ran("export", "NOV24", "--format", "html", "--lang", "en", folder=tmp_path)
        assert code == 0 and '<html lang="en">' in out
        code, _, errors = await ran("export", "NONE", folder=tmp_path)
        assert code == 1 and errors.startswith("There is no town hall NONE.")


async def test_what_is_wrong_with_a_csv_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("부서명,담당자\nA,\n")
    code, _, errors = await ran("create", "--title", "x", "--directors", "bad.csv", folder=tmp_path)
    assert code == 1 and "line 2: The cell 담당자 is empty." in errors
    code, _, errors = await ran("create", "--title", "x", "--directors", "none.csv", folder=tmp_path)
    assert code == 1 and errors.startswith("none.csv cannot be read: ")


async def test_a_log_is_followed_as_it_grows(tmp_path: Path) -> None:
    (tmp_path / "directors.csv").write_text(CSV)
    async with started("serve", "--port", "0", folder=tmp_path) as server:
        await server.says("listening on ")
        arguments = ("--title", "x", "--directors", "directors.csv")
        await ran("create", *arguments, "--code", "NOV24", "--who", "link", folder=tmp_path)
        async with started("log", "NOV24", "--follow", folder=tmp_path) as log:
            assert "NOV24" in await log.says("     1 ")
            url = (tmp_path / "data/address").read_text().strip()
            _, out, _ = await ran("links", folder=tmp_path)
            key = out.partition("#")[2].splitlines()[0]
            body = {"command": "hall:open", "payload": {"client_id": "test-0001"}}
            headers = {"Authorization": f"Bearer {key}"}
            async with aiohttp.ClientSession(headers=headers) as session:
                async with session.post(f"{url}/api/v1/halls/NOV24/organiser/commands", json=body) as response:
                    assert response.status == 200
            assert await log.says("     6 ")


async def test_a_reader_that_has_had_enough_is_no_error(tmp_path: Path) -> None:
    process = await asyncio.to_thread(
        subprocess.run,
        f"{sys.executable} -m server settings --markdown | head -1",
        shell=True,
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (process.stdout, process.stderr) == ("# Settings\n", "")


async def test_the_doctor_finds_nothing_wrong_here_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    _, out, errors = await ran("doctor", "--port", port, folder=tmp_path)
    assert errors == ""
    looked_at = [line for line in out.splitlines() if line.startswith("[")]
    assert len(looked_at) == 11
    assert f"[ok] port {port} is free" in looked_at and "[ok] append-only file: on" in looked_at
    assert list(tmp_path.iterdir()) == []


async def test_the_doctor_says_what_to_do(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        code, out, _ = await ran("doctor", "--port", port, "--redis", "redis://127.0.0.1:1", folder=tmp_path)
    assert code == 1
    lines = out.splitlines()
    assert lines[0] == f"[look] port {port} is free"
    assert lines[1].startswith("     Something listens on it")
    assert any(line.startswith("[look] store ") for line in lines)


async def test_the_doctor_can_look_beside_a_running_server(tmp_path: Path) -> None:
    async with started("serve", "--port", "0", folder=tmp_path) as server:
        await server.says("listening on ")
        (tmp_path / "data/secret").chmod(0o644)
        code, out, _ = await ran("doctor", folder=tmp_path)
        assert code == 1 and "[ok] append-only file: on" in out
        assert "[look] the secret data/secret is private" in out and "chmod 600" in out
