"""The list of parts (SBOM, CycloneDX 1.6) from the lock files: `python -m tools.sbom > townhall.cdx.json`."""

import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent


def python_parts(text: str) -> list[dict[str, Any]]:
    """Components of a requirements file with hashes."""
    found = []
    for block in re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]:
        named = re.match(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^ ;\\\n]+)", block)
        if named is None:
            raise ValueError(f"not pinned: {block.splitlines()[0]}")
        name, version = named[1].lower(), named[2]
        # One file of several fits a machine; which one is not known here.
        hashes = [{"alg": "SHA-256", "content": digest} for digest in re.findall(r"--hash=sha256:([0-9a-f]{64})", block)]
        found.append(_part(name, version, f"pkg:pypi/{name}@{version}", hashes))
    return found


def node_parts(text: str) -> list[dict[str, Any]]:
    """Components of a package-lock.json that reach a browser; what only builds and tests is not shipped."""
    found = {}
    for path, package in json.loads(text)["packages"].items():
        if path == "" or package.get("dev"):
            continue
        name, version = path.rpartition("node_modules/")[2], package["version"]
        purl = f"pkg:npm/{name.replace('@', '%40')}@{version}"
        found[purl] = _part(name, version, purl, [])
    return list(found.values())


def _part(name: str, version: str, purl: str, hashes: list[dict[str, str]]) -> dict[str, Any]:
    part: dict[str, Any] = {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
    return {**part, "hashes": hashes} if hashes else part


def sbom() -> dict[str, Any]:
    """The whole list, the same for the same lock files."""
    version = re.search(r'^version = "([^"]+)"', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    assert version is not None
    parts = python_parts((ROOT / "requirements.lock").read_text("utf-8"))
    parts += node_parts((ROOT / "static" / "package-lock.json").read_text("utf-8"))
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", "bom-ref": "townhall", "name": "townhall", "version": version[1]}},
        "components": sorted(parts, key=lambda part: part["purl"]),
    }


if __name__ == "__main__":
    json.dump(sbom(), sys.stdout, indent=2)
    print()
