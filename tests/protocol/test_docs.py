"""The hand-written pages: what they name exists, and every link leads somewhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(path for path in DOCS.rglob("*.md"))
DECISIONS = sorted((DOCS / "decisions").glob("0*.md"))
EXPLAINING = [DOCS / "explanation/tests.md", DOCS / "explanation/architecture.md", DOCS / "explanation/anonymity.md", *DECISIONS]
NAMED = r"`((?:tests|server|protocol|moderation|loadtests|static|tools)/[\w/.]+\.\w+)`"


def headings(page: Path) -> set[str]:
    """As links name them."""
    found = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- :]", "", head.lower()).replace(" ", "-") for head in found} | {
        head.strip("`").lower() for head in found
    }


@pytest.mark.parametrize(
    "page", [*PAGES, *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"))], ids=lambda page: page.name
)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, heading = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        if heading and file.suffix == ".md":
            assert heading in headings(file), target


@pytest.mark.parametrize("page", EXPLAINING, ids=lambda page: page.name)
def test_every_file_that_is_named_is_there(page: Path) -> None:
    for name in re.findall(NAMED, page.read_text("utf-8")):
        assert (ROOT / name).exists(), name


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.name)
def test_a_decision_says_what_it_must(page: Path) -> None:
    text = page.read_text("utf-8")
    assert text.startswith(f"# {int(page.name[:4])}. ")
    for part in ("What forced it.", "What we chose.", "What we turned down.", "What it costs.", "What would show us wrong."):
        assert f"**{part}**" in text, part
    assert page.name in (DOCS / "decisions/README.md").read_text("utf-8")


def test_the_table_has_every_promise_of_this_release() -> None:
    told = set(re.findall(r"^\| ([RSAW]-\d\d) \|", (DOCS / "explanation/tests.md").read_text("utf-8"), re.MULTILINE))
    assert told == {
        *(f"R-{number:02}" for number in (1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16)),
        *(f"S-{number:02}" for number in range(1, 9)),
        *(f"A-{number:02}" for number in (*range(1, 13), *range(20, 29))),
        *(f"W-{number:02}" for number in range(1, 9)),
    }
