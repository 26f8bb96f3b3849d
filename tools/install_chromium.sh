#!/usr/bin/env bash
# Chromium and Korean fonts for the browser tests, from Debian's packages.
set -eu
if command -v chromium >/dev/null && fc-list 2>/dev/null | grep -qi 'cjk'; then exit 0; fi
run=""
if [ "$(id -u)" != 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "Chromium is needed for the browser tests: as root, apt-get install chromium fonts-noto-cjk" >&2
    exit 1
  fi
  run=sudo
fi
$run apt-get update -qq
$run env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk fontconfig >/dev/null
