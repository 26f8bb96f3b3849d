"""Files and folders are their owner's alone, also those that a backup brought back open; no process leaves a core."""

import stat
from pathlib import Path

import pytest

from server.private import OpenToOthers, close, open_paths
from server.settings import Settings
from tests.server.command import ran, started
from tests.server.test_demo import children


def opened(data: Path) -> list[Path]:
    """As a careless backup brings it back: 0755 and 0644."""
    found = [data, *data.rglob("*")]
    for path in found:
        path.chmod(0o755 if path.is_dir() else 0o644)
    return found


def modes(data: Path) -> set[str]:
    return {oct(stat.S_IMODE(path.lstat().st_mode)) for path in (data, *data.rglob("*")) if path.lstat().st_mode & 0o077}


async def test_what_a_server_makes_is_its_owners_alone_and_leaves_no_core(tmp_path: Path) -> None:
    async with started("serve", "--port", "0", "--workers", "2", folder=tmp_path) as server:
        await server.says("listening on")
        assert modes(tmp_path / "data") == set()
        below = [server.process.pid, *children(server.process.pid)]
        assert len(below) >= 4, "the store, the issuer, the workers"
        for pid in below:
            (cores,) = [line for line in Path(f"/proc/{pid}/limits").read_text().splitlines() if line.startswith("Max core file")]
            assert cores.split()[4:6] == ["0", "0"], pid
            assert "Umask:\t0077" in Path(f"/proc/{pid}/status").read_text(), pid


@pytest.mark.parametrize("command", ["serve", "links"])
async def test_a_folder_that_was_brought_back_open_is_closed_and_that_is_told(tmp_path: Path, command: str) -> None:
    data = tmp_path / "data"
    async with started("serve", "--port", "0", folder=tmp_path) as server:
        await server.says("listening on")
        await server.ends()
    assert opened(data) and modes(data)
    code, out, _ = await ran("doctor", "--lang", "en", folder=tmp_path)
    assert "[look] the data folder is private" in out and "chmod -R go-rwx" in out and code == 1
    assert "0o644" in modes(data), "looking changes nothing"
    if command == "serve":
        async with started("serve", "--port", "0", folder=tmp_path) as server:
            await server.says("listening on")
            assert modes(data) == set()
            await server.ends()
        told = (tmp_path / "stderr").read_text()
    else:
        _, _, told = await ran(command, folder=tmp_path)
    assert "Others on this machine had access" in told
    assert modes(data) == set()
    _, out, _ = await ran("doctor", folder=tmp_path)
    assert "[ok] the data folder is private" in out


def test_what_is_not_ours_to_close_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text("x")
    (tmp_path / "secret").chmod(0o644)

    def chmod(self: Path, mode: int) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "chmod", chmod)
    with pytest.raises(OpenToOthers) as refused:
        close(Settings(data_dir=str(tmp_path)))
    assert refused.value.path == tmp_path / "secret"


def test_a_folder_of_all_is_left_alone_and_what_is_ours_in_it_is_not(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    for name in ("secret", "letter-of-somebody"):
        (shared / name).write_text("x")
        (shared / name).chmod(0o644)
    (shared / "valkey").mkdir()
    (shared / "valkey").chmod(0o755)
    (shared / "valkey" / "aof").symlink_to(tmp_path / "elsewhere")
    settings = Settings(data_dir=str(shared))
    assert set(close(settings)) == {shared / "secret", shared / "valkey"}
    assert open_paths(settings) == []
    assert stat.S_IMODE((shared / "letter-of-somebody").stat().st_mode) == 0o644
