#!/usr/bin/env bash
# Debian packages ($2 …) for what $1 names; a clear sentence where that cannot be done.
set -eu
what=$1
shift
run=()
if [ "$(id -u)" != 0 ]; then run=(sudo -n); fi
if ! command -v apt-get >/dev/null; then
  echo "$what is needed; there is no apt-get here. Install what Debian calls: $*" >&2
  exit 1
fi
if ! "${run[@]}" true 2>/dev/null; then
  echo "$what is needed. As root: apt-get install $*" >&2
  exit 1
fi
"${run[@]}" apt-get update -qq
"${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
