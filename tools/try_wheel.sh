#!/usr/bin/env bash
# `pip install .` on a machine with no Node gives a working `townhall`: the source distribution of what is committed,
# built and installed in a fresh environment, with no Node on the path.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/source" "$work/tools"
git -C "$here" archive HEAD | tar -x -C "$work/source"
(cd "$work/source" && "$here/.venv/bin/python" -m hatchling build -t sdist -d "$work/dist" >/dev/null 2>&1)
"$here/.venv/bin/python" -m venv "$work/venv"

# The folders of the system, without those that have a Node in them; from these only what pip and npm need.
path="$work/venv/bin:$work/tools"
for folder in /usr/bin /bin; do [ -x "$folder/node" ] || path="$path:$folder"; done
for tool in bash sh env cat sed uname; do ln -s "$(command -v $tool)" "$work/tools/$tool"; done
if PATH="$path" bash -c 'command -v node || command -v npm'; then
  echo "there is a Node on the path: this would show nothing" >&2
  exit 1
fi

PATH="$path" "$work/venv/bin/pip" wheel -qq --no-deps --wheel-dir "$work/dist" "$work"/dist/*.tar.gz
"$work/venv/bin/python" - "$work"/dist/*.whl <<'PYTHON'
import sys
import zipfile

names = zipfile.ZipFile(sys.argv[1]).namelist()
pages = [name for name in names if name.startswith("server/_pages/")]
for page in ("join", "audience", "host", "director", "overlay", "organiser"):
    for suffix in ("", ".br", ".gz"):
        assert f"server/_pages/{page}.html{suffix}" in pages, f"{page}.html{suffix} is not in the wheel"
packages = {name.split("/")[0] for name in names if ".dist-info/" not in name}
assert packages == {"protocol", "moderation", "server", "loadtests"}, packages
for needed in ("protocol/py.typed", "protocol/catalogue/ko/common.json", "server/store/append.lua", "server/demo/directory.json"):
    assert needed in names, f"{needed} is not in the wheel"
print(f"the wheel has {len(names)} files, {len(pages)} of them pages")
PYTHON
PATH="$path" "$work/venv/bin/pip" install -qq "$work"/dist/*.whl
cd "$work"
PATH="$path" "$work/venv/bin/townhall" --help >/dev/null
PATH="$path" "$work/venv/bin/townhall" settings --markdown | cmp - "$here/docs/reference/settings.md"
PATH="$path" "$work/venv/bin/python" -c 'from server.http.built import folder; assert folder() is not None, "no pages are found"'
echo "installed without Node: townhall starts and finds its pages"
