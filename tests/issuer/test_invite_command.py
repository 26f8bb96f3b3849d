"""`townhall invite`, beside a running issuer."""

from pathlib import Path

import pytest

from tests.server.command import ran, started


async def test_people_are_invited_from_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("성명,이메일\n김하늘,sky@town.example.org\n이바다,sea@town.example.org\n")
    async with started("issuer", "--issuer-port", "0", folder=tmp_path) as issuer:
        url = (await issuer.says("issuer: ")).partition("/organiser")[0]
        code, _, _ = await ran("issuance", "NOV24", "--title", "만남의 날", "--who", "invitation", folder=tmp_path)
        assert code == 0
        outputs = ("--slips", "slips.html", "--csv", "letters.csv")
        code, out, said = await ran("invite", "NOV24", "people.csv", *outputs, folder=tmp_path)
        assert (code, out) == (0, "") and said.startswith("2 invitations were made")
        letters = (tmp_path / "letters.csv").read_text("utf-8-sig").splitlines()
        assert len(letters) == 3 and f"{url}/admit/NOV24#i=" in letters[1]
        assert (tmp_path / "slips.html").read_text().count('class="slip"') == 2
        assert (tmp_path / "slips.html").stat().st_mode & 0o777 == 0o600
        code, out, _ = await ran("invite", "nov24", "people.csv", folder=tmp_path)
        assert code == 0 and out.count("#i=") == 2


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("NONE", "people.csv"), "The issuer knows no town hall NONE"),
        (("NOV24", "people.csv", "--send"), "No mail server is set"),
        (("NOV24", "empty.csv"), "There is nobody to invite"),
        (("NOV24", "missing.csv"), "missing.csv cannot be read"),
    ],
)
async def test_what_does_not_work_is_told(tmp_path: Path, arguments: tuple[str, ...], why: str) -> None:
    (tmp_path / "people.csv").write_text("name,email\nA,a@b.example\n")
    (tmp_path / "empty.csv").write_text("name\n")
    code, out, said = await ran("invite", *arguments, folder=tmp_path)
    assert (code, out) == (1, "") and why in said and "Traceback" not in said
