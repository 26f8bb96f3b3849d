#!/usr/bin/env bash
# The pages are built by Node: 20.19 or newer, with its npm.
set -eu
if command -v node >/dev/null && command -v npm >/dev/null &&
  node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'; then
  exit 0
fi
echo "Node 20.19 or newer with npm is needed; found: $(command -v node >/dev/null && node --version || echo none)." >&2
exit 1
