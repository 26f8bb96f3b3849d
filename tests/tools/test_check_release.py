import shutil
from pathlib import Path

from tools.check_release import ROOT, versions


def test_the_version_is_the_same_everywhere() -> None:
    assert len(set(versions().values())) == 1


def test_a_changelog_without_a_release_has_no_version(tmp_path: Path) -> None:
    (tmp_path / "static").mkdir()
    for name in ("pyproject.toml", "static/package.json"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## Next\n", "utf-8")
    assert versions(tmp_path)["CHANGELOG.md"] is None
