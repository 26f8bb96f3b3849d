#!/usr/bin/env bash
# A virtual environment at $1, made by the Python $2. Debian keeps what `venv` needs in a package of its own.
set -eu
folder=$1 python=$2
if [ -x "$folder/bin/pip" ]; then exit 0; fi
if ! command -v "$python" >/dev/null; then
  echo "Python 3.11 or newer is needed; there is no $python. On Debian: apt-get install python3 python3-venv" >&2
  exit 1
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  echo "Python 3.11 or newer is needed; $python is $("$python" -V). Name another: make PYTHON=python3.12 …" >&2
  exit 1
fi
if ! "$python" -c 'import ensurepip' 2>/dev/null; then
  "$(dirname "$0")/apt_install.sh" "Python's venv" python3-venv
fi
"$python" -m venv "$folder"
