#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages that a part of the project needs, those only that are missing.
#
#   scripts/install-deps.sh core     to build the library
#   scripts/install-deps.sh python   to build and use the Python package
#   scripts/install-deps.sh tests    to build and run the tests
#   scripts/install-deps.sh checks   for the fuzzers and static checks
#
# Several parts may be named. Uses sudo unless it runs as root. Asks nothing. The tests start their
# servers themselves: none runs, now or after the next boot, because its package was installed here.
set -euo pipefail

packages_of() {
  case "$1" in
    core) echo g++ cmake ninja-build libsqlite3-dev libasio-dev nlohmann-json3-dev libcli11-dev libyaml-cpp-dev libpq-dev libhiredis-dev libssl-dev libzstd-dev prometheus-cpp-dev pkg-config ;;
    python) echo python3 python3-venv python3-dev ca-certificates ;;
    tests) echo ccache libgtest-dev git jq procps python3 sqlite3 libpqxx-dev openssl redis-server redis-tools zstd "$(server_packages)" ;;
    checks) echo clang clang-format clang-tidy "$(clang_runtime)" ;;
    *) echo "unknown part '$1': say core, python, tests or checks" >&2; return 2 ;;
  esac
}

# The runtime of the sanitizers is named after the distribution's version of clang.
clang_runtime() {
  apt-cache depends clang | sed -n 's/.*Depends: clang-\([0-9]*\)$/libclang-rt-\1-dev/p'
}

# Any version of the Postgres server will do, from whatever source it came; pg_cron is that of the
# newest version that is there, or will be.
server_packages() {
  local version
  version=$(compgen -G '/usr/lib/postgresql/*/bin/postgres' | cut -d/ -f5 | sort -n | tail -n 1)
  if [[ -z $version ]]; then
    echo postgresql
    version=$(apt-cache depends postgresql | sed -n 's/.*Depends: postgresql-\([0-9]*\)$/\1/p')
  fi
  [[ -e /usr/lib/postgresql/$version/lib/pg_cron.so ]] || echo "postgresql-$version-cron"
  [[ -x /usr/sbin/pgbouncer ]] || echo pgbouncer
}

is_installed() {
  [[ $(dpkg-query -W -f='${Status}' "$1" 2>/dev/null) == 'install ok installed' ]]
}

as_root() {
  if [[ $(id -u) == 0 ]]; then "$@"; else sudo "$@"; fi
}

if [[ $# == 0 ]]; then
  sed -n '3,11s/^# \{0,1\}//p' "$0"
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

policy=/usr/sbin/policy-rc.d
clusters=/etc/postgresql-common/createcluster.d/threadkeep.conf

# For as long as packages are being installed: no service starts, no cluster is created.
hold_services() {
  trap release_services EXIT
  if [[ ! -e $policy ]]; then
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod +x "$policy"
    made+=("$policy")
  fi
  if [[ " ${missing[*]} " == *' postgresql '* && ! -e $clusters ]]; then
    as_root mkdir -p "${clusters%/*}"
    echo 'create_main_cluster = false' | as_root tee "$clusters" >/dev/null
    made+=("$clusters")
  fi
}

release_services() {
  [[ ${#made[@]} == 0 ]] || as_root rm -f "${made[@]}"
  [[ ! -d ${clusters%/*} ]] || as_root rmdir --ignore-fail-on-non-empty "${clusters%/*}"
  made=()
}

echo "Installing Debian packages: ${missing[*]}"
made=()
as_root apt-get update -qq
hold_services
as_root env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
# Without a cluster there is nothing of Postgres to start; PgBouncer would start at the next boot.
if [[ " ${missing[*]} " == *' pgbouncer '* ]]; then as_root update-rc.d pgbouncer disable; fi
