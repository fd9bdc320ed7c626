#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the Python package with what it is compared to, and runs bench/compare.py with the arguments
# that are given. Needs Debian; installs the rest as scripts/test.sh does. All numbers go to
# build/bench.json and a picture to build/bench.svg.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install-deps.sh core python tests
[[ -x build/venv/bin/python ]] || python3 -m venv build/venv
build/venv/bin/python -m pip install --quiet --disable-pip-version-check \
  --config-settings build-dir="$PWD/build/python" '.[bench]'
exec build/venv/bin/python bench/compare.py --json build/bench.json --plot build/bench.svg "$@"
