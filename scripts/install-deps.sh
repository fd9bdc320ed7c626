#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages that a part of the project needs, those only that are missing.
#
#   scripts/install-deps.sh core     to build the library
#   scripts/install-deps.sh python   to build and use the Python package
#   scripts/install-deps.sh tests    to build and run the tests
#   scripts/install-deps.sh checks   for the fuzzers and static checks
#
# Several parts may be named. Uses sudo unless it runs as root. Asks nothing.
set -euo pipefail

packages_of() {
  case "$1" in
    core) echo g++ cmake ninja-build libsqlite3-dev libasio-dev nlohmann-json3-dev libpq-dev pkg-config ;;
    python) echo python3 python3-venv python3-dev ca-certificates ;;
    tests) echo libgtest-dev git procps python3 sqlite3 ;;
    checks) echo clang clang-format clang-tidy "$(clang_runtime)" ;;
    *) echo "unknown part '$1': say core, python, tests or checks" >&2; return 2 ;;
  esac
}

# The runtime of the sanitizers is named after the distribution's version of clang.
clang_runtime() {
  apt-cache depends clang | sed -n 's/.*Depends: clang-\([0-9]*\)$/libclang-rt-\1-dev/p'
}

is_installed() {
  [[ $(dpkg-query -W -f='${Status}' "$1" 2>/dev/null) == 'install ok installed' ]]
}

as_root() {
  if [[ $(id -u) == 0 ]]; then "$@"; else sudo "$@"; fi
}

if [[ $# == 0 ]]; then
  sed -n '3,10s/^# \{0,1\}//p' "$0"
  exit 2
fi
if ! command -v dpkg-query >/dev/null; then
  echo "This is no Debian system. Install what packages_of in $0 names by other means." >&2
  exit 1
fi

[[ -n $(apt-cache search --names-only '^clang$') ]] || as_root apt-get update -qq
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
