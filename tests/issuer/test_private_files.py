"""Files with secrets are their owner's from their first byte on, whatever the umask and whatever stood there before."""

import os
import stat
import threading
from pathlib import Path

import pytest

from server.issuer.issuances import Issuances
from server.issuer.key_files import KeyFiles
from server.private_files import write_private
from tests.issuer.serving import issuing


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def _open_umask() -> object:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("_open_umask")
def test_no_other_reads_it_while_it_is_written(tmp_path: Path) -> None:
    path, seen, done = tmp_path / "slips.html", set[int](), threading.Event()

    def look() -> None:
        while not done.is_set():
            for one in tmp_path.iterdir():
                try:
                    seen.add(mode(one))
                except FileNotFoundError:
                    continue

    looking = threading.Thread(target=look)
    looking.start()
    for _ in range(100):
        write_private(path, b"x" * 100_000)
    done.set()
    looking.join()
    assert seen == {0o600} and [one.name for one in tmp_path.iterdir()] == ["slips.html"]


@pytest.mark.usefixtures("_open_umask")
def test_what_stood_there_open_to_all_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "letters.csv"
    path.write_text("before")
    path.chmod(0o644)
    with path.open() as reader:
        write_private(path, b"secret")
        assert reader.read() == "before", "whoever had it open reads nothing new"
    assert mode(path) == 0o600 and path.read_bytes() == b"secret"
    with pytest.raises(OSError):
        write_private(tmp_path / "nowhere" / "x", b"secret")


@pytest.mark.usefixtures("_open_umask")
async def test_all_files_of_an_issuer_are_its_owners(tmp_path: Path) -> None:
    async with issuing(tmp_path / "data") as served:
        await served.issuance("open", "invitation")
        await served.invite("name\nA\n")
        assert (await served.sign("open", "a-browser-of-the-open-code"))[0] == 200
        for path in (tmp_path / "data" / "issuer").rglob("*"):
            assert mode(path) == (0o700 if path.is_dir() else 0o600), path


@pytest.mark.usefixtures("_open_umask")
async def test_a_journal_of_the_ledger_is_its_owners(tmp_path: Path) -> None:
    issuances = Issuances(tmp_path)
    assert mode(tmp_path / "ledger.sqlite") == 0o600
    connection = await issuances.on_ledger(lambda ledger: ledger.connection)
    await issuances.on_ledger(lambda ledger: connection.execute("BEGIN IMMEDIATE").close())
    await issuances.on_ledger(lambda ledger: connection.execute("DELETE FROM invited").close())
    assert {mode(path) for path in tmp_path.glob("ledger*")} == {0o600}
    await issuances.on_ledger(lambda ledger: connection.execute("ROLLBACK").close())
    await issuances.stop()
    assert mode(tmp_path / "keys") == 0o700 and KeyFiles(tmp_path / "keys").load("NONE") is None
