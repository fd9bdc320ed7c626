#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages that a part of the project needs, those only that are missing.
#
#   scripts/install-deps.sh core     to build the library
#   scripts/install-deps.sh python   to build and use the Python package
#
# Several parts may be named. Uses sudo unless it runs as root. Asks nothing.
set -euo pipefail

packages_of() {
  case "$1" in
    core) echo g++ cmake ninja-build libsqlite3-dev libasio-dev nlohmann-json3-dev ;;
    python) echo python3 python3-venv python3-dev ca-certificates ;;
    *) echo "unknown part '$1': say core or python" >&2; return 2 ;;
  esac
}

is_installed() {
  [[ $(dpkg-query -W -f='${Status}' "$1" 2>/dev/null) == 'install ok installed' ]]
}

as_root() {
  if [[ $(id -u) == 0 ]]; then "$@"; else sudo "$@"; fi
}

if [[ $# == 0 ]]; then
  sed -n '3,8s/^# \{0,1\}//p' "$0"
  exit 2
fi
if ! command -v dpkg-query >/dev/null; then
  echo "This is no Debian system. Install what packages_of in $0 names by other means." >&2
  exit 1
fi

missing=()
for part in "$@"; do
  names=$(packages_of "$part")
  for name in $names; do is_installed "$name" || missing+=("$name"); done
done
if [[ ${#missing[@]} == 0 ]]; then
  echo "All Debian packages for $* are installed."
  exit 0
fi
echo "Installing Debian packages: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
as_root apt-get update -qq
as_root env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
