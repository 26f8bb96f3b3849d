"""What is imported is declared: a library that comes along with another one may be gone, or old, tomorrow."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions

from tools.sbom import ROOT

OURS = {"protocol", "moderation", "server", "loadtests", "tools", "tests"}
OPTIONAL = {"playwright"}
"""Taken where it happens to be."""


def imported(folder: str) -> set[str]:
    """Names of the modules at the top that files below `folder` import."""
    found = set()
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                found.add(node.module.partition(".")[0])
    return found - OURS - set(sys.stdlib_module_names)


def declared(*extras: str) -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lines = project["dependencies"] + [line for extra in extras for line in project["optional-dependencies"][extra]]
    return {re.match(r"[A-Za-z0-9._-]+", line)[0].lower().replace("_", "-") for line in lines}  # type: ignore[index]  # a name


def undeclared(folders: tuple[str, ...], known: set[str]) -> set[str]:
    by_module = packages_distributions()
    return {
        module
        for folder in folders
        for module in imported(folder)
        if module not in OPTIONAL and not known & {name.lower().replace("_", "-") for name in by_module.get(module, [])}
    }


def test_what_the_server_imports_is_declared() -> None:
    assert undeclared(("protocol", "moderation", "server", "loadtests"), declared()) == set()


def test_what_tools_and_tests_import_is_declared() -> None:
    assert undeclared(("tools", "tests"), declared("dev")) == set()
