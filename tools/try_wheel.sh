#!/usr/bin/env bash
# `pip install .` on a machine with no Node gives a working `townhall`: tried in a copy, in a fresh environment.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git -C "$here" archive HEAD | tar -x -C "$work"
python3 -m venv "$work/venv"
# Only the system's own folders, with whatever has a node in it left out.
path="$work/venv/bin"
for folder in /usr/bin /bin; do [ -x "$folder/node" ] || path="$path:$folder"; done
mkdir -p "$work/bin"
for tool in gcc cc sh bash env sed tar git uname ldd; do ln -sf "$(command -v $tool)" "$work/bin/$tool" 2>/dev/null || true; done
case ":$path:" in *:/usr/bin:*) ;; *) path="$path:$work/bin" ;; esac
PATH="$path" bash -c 'command -v node >/dev/null && { echo "there is a node on the path"; exit 1; } || true'
PATH="$path" "$work/venv/bin/pip" install --quiet "$work"
cd /
PATH="$path" "$work/venv/bin/townhall" --help
PATH="$path" "$work/venv/bin/python" -c 'from server.http.pages import folder; assert folder() is not None, "no pages in the wheel"; print("pages are in the wheel")'
