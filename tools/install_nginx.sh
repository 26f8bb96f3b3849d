#!/usr/bin/env bash
# nginx and openssl, for the test that runs the configuration of docs/howto/nginx.md as printed.
set -eu
if PATH="$PATH:/usr/sbin" command -v nginx >/dev/null && command -v openssl >/dev/null; then exit 0; fi
"$(dirname "$0")/apt_install.sh" "nginx, for the test of its how-to," nginx-light openssl
