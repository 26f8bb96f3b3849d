"""W-07: the list of parts is whole, and nothing of ours turns data into code or markup."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

from tools.check_locks import NODE_FLOORS, PYTHON_FLOORS, numbers
from tools.sbom import ROOT, node_parts, python_parts, sbom

REFUSED_CALLS = {"eval", "exec", "compile", "__import__"}
REFUSED_MODULES = {"pickle", "shelve", "marshal", "dill", "jsonpickle", "yaml"}
MARKUP = re.compile(
    r"\.(innerHTML|outerHTML|insertAdjacentHTML|srcdoc)\b|dangerouslySetInnerHTML|\beval\(|new Function\(|document\.write"
)


def test_the_list_of_parts_names_every_pinned_package_once() -> None:
    found = sbom()
    assert (found["bomFormat"], found["specVersion"]) == ("CycloneDX", "1.6")
    purls = [part["purl"] for part in found["components"]]
    assert len(purls) == len(set(purls)) > 30
    direct = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    for requirement in direct:
        name = re.match(r"[A-Za-z0-9._-]+", requirement)
        assert name is not None and any(purl.startswith(f"pkg:pypi/{name[0].lower()}@") for purl in purls), requirement
    assert any(purl.startswith("pkg:npm/socket.io-client@") for purl in purls)
    assert not any("vite" in purl for purl in purls)
    assert sbom() == found


def test_parts_are_not_older_than_the_floors() -> None:
    versions = {part["name"]: part["version"] for part in sbom()["components"]}
    for name, floor in {**PYTHON_FLOORS, **NODE_FLOORS}.items():
        assert numbers(versions[name]) >= numbers(floor), name


def test_what_is_not_pinned_is_refused() -> None:
    with pytest.raises(ValueError, match="not pinned"):
        python_parts("aiohttp>=3\n")
    assert node_parts('{"packages": {"": {}, "node_modules/a": {"version": "1.0.0", "dev": true}}}') == []


@pytest.mark.parametrize("folder", ["protocol", "moderation", "server", "loadtests", "tools"])
def test_no_python_turns_data_into_code(folder: str) -> None:
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            where = f"{path}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in REFUSED_CALLS, where
            if isinstance(node, ast.Import):
                assert not {alias.name.partition(".")[0] for alias in node.names} & REFUSED_MODULES, where
            if isinstance(node, ast.ImportFrom):
                assert (node.module or "").partition(".")[0] not in REFUSED_MODULES, where


def test_no_page_turns_text_into_markup() -> None:
    sources = [path for path in (ROOT / "static" / "src").rglob("*.ts*") if "protocol" not in path.parts]
    assert len(sources) > 40
    for path in sources:
        found = MARKUP.search(path.read_text("utf-8"))
        assert found is None, f"{path}: {found[0] if found else ''}"


@pytest.mark.parametrize("line", ["x.innerHTML = y", "<p dangerouslySetInnerHTML={{}} />", "eval(x)", "new Function('x')"])
def test_the_search_finds_what_it_is_for(line: str) -> None:
    assert MARKUP.search(line)


def test_the_pages_have_no_inline_script_or_style() -> None:
    for path in Path(ROOT / "static").glob("*.html"):
        text = path.read_text("utf-8")
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|style=", text), path
