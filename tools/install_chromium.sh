#!/usr/bin/env bash
# Chromium and Korean fonts for the browser tests, from Debian's packages.
set -eu
if command -v chromium >/dev/null && fc-list 2>/dev/null | grep -qi 'cjk'; then exit 0; fi
"$(dirname "$0")/apt_install.sh" "Chromium with Korean fonts, for the browser tests," chromium fonts-noto-cjk fontconfig
