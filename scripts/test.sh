#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Sets up everything and runs the tests. Needs Debian with git and bash; installs the rest with apt
# (as root or with sudo), and Python packages into build/ only. Asks nothing. Safe to run again.
#
#   scripts/test.sh                all stages but tsan, fuzz and tidy
#   scripts/test.sh --full         all stages
#   scripts/test.sh --rotate       release, checks, python, demo, and one of the others in turn, by the day
#   scripts/test.sh --core         the C++ library alone: stages release and asan, Debian packages only
#   scripts/test.sh STAGE...       some stages:
#       release   warnings as errors, examples, install and use of the package, and the C++ tests;
#                 beside asan only those that asan leaves out
#       asan      the C++ tests under AddressSanitizer and UndefinedBehaviorSanitizer, but for those
#                 of the command, that kill processes, fork under load (the sanitizer's own
#                 locks), measure memory, or take long for other reasons
#       tsan      the tests of threads and asynchronous calls under ThreadSanitizer
#       fuzz      each fuzz target for $FUZZ_SECONDS (20) seconds
#       checks    clang-format
#       tidy      clang-tidy
#       python    the Python package: the official conformance suite, graphs, crashes
#       demo      scripts/demo.sh
#
# Ends with one line, "N passed, M failed", and status 1 when anything failed.
set -uo pipefail
cd "$(dirname "$0")/.."

passed=0
failed=0
failures=()

say() { printf '\n\033[1m=== %s\033[0m (%s)\n' "$*" "$(date +%T)"; }
count() { passed=$((passed + $1)); failed=$((failed + $2)); }
# count_results STATUS NAME REPORT...: counts what a tool that ended with STATUS wrote.
count_results() {
  local status=$1 name=$2 lines
  mapfile -t lines < <(python3 scripts/count_results.py "${@:3}")
  local good bad
  read -r good bad <<<"${lines[0]-0 1}"
  if [[ $status != 0 && $bad == 0 ]]; then bad=1; fi
  count "$good" "$bad"
  failures+=("${lines[@]:1}")
  [[ $status == 0 ]] || failures+=("$name")
}
broken() { count 0 1; failures+=("$1"); echo "FAILED: $1" >&2; }

# require COMMAND...: a step that has to work before the tests of a stage can run.
require() { "$@" || { broken "${FUNCNAME[1]}: $*"; return 1; }; }
# check NAME COMMAND...: a step that is a test by itself.
check() { local name=$1; shift; if "$@"; then count 1 0; else broken "$name"; fi; }

# build PRESET [-DOPTION=VALUE...] [--target TARGET...]; the lines of a build that succeeds are of no
# use to anybody.
build() {
  local preset=$1 options=()
  shift
  while [[ ${1-} == -D* ]]; do options+=("$1"); shift; done
  mkdir -p build
  require cmake --preset "$preset" "${options[@]}" >/dev/null || return
  cmake --build --preset "$preset" "$@" >"build/$preset.log" 2>&1 && return
  tail -n 60 "build/$preset.log"
  broken "build of preset $preset; all of the output is in build/$preset.log"
  return 1
}

# Runs ctest and counts the single tests of GoogleTest programs, other tests as one each. One more at
# a time than there are processors: many wait for a server or a disk.
run_ctest() {
  local preset=$1 results=$PWD/build/$1/results
  rm -rf "$results"
  GTEST_OUTPUT="xml:$results/" ctest --preset "$preset" -j"$(($(nproc) + 1))" "${@:2}" \
    --output-junit "$results.xml"
  count_results $? "ctest --preset $preset" "$results.xml" "$results"
}

# Programs that are whole under AddressSanitizer are built and run there only, if it runs.
stage_release() {
  local whole=ON
  [[ " ${stages[*]} " == *' asan '* ]] && whole=OFF
  build release -DTHREADKEEP_TESTS_FOR_SANITIZERS=$whole && run_ctest release
}

stage_asan() {
  build asan || return
  # The order of texts in the server makes no difference to memory: one database is enough.
  UBSAN_OPTIONS=print_stacktrace=1 THREADKEEP_LOCKSTEP_SEEDS=${ASAN_SEEDS:-20} \
    GTEST_FILTER='-*postgres_icu*' \
    run_ctest asan -E '^(consumer|configure_|forks|large|postgres_(crashes|pooler|setup_processes))'
}

stage_tsan() {
  build tsan --target test_unit test_async test_concurrency test_conformance || return
  TSAN_OPTIONS=halt_on_error=1 THREADKEEP_LOCKSTEP_SEEDS=4 GTEST_FILTER='-*postgres_icu*' \
    run_ctest tsan -R '^(unit|async|concurrency|conformance)$'
}

stage_fuzz() {
  build fuzz || return
  check fuzz tests/fuzz/run.sh "${FUZZ_SECONDS:-20}"
}

stage_checks() {
  local sources
  mapfile -t sources < <(git ls-files '*.cpp' '*.hpp')
  if [[ $(clang-format --version) == *version\ 14.* ]]; then
    check clang-format clang-format --dry-run --Werror "${sources[@]}"
  else
    broken "clang-format: the style is that of version 14, here is $(clang-format --version)"
  fi
}

stage_tidy() {
  require cmake --preset release >/dev/null || return  # writes compile_commands.json
  # Headers that the build makes are included by what is looked at.
  require cmake --build --preset release --target threadkeep threadkeep_ops >/dev/null || return
  check clang-tidy tidy
}

tidy() {
  run-clang-tidy -quiet -p build/release -extra-arg=-Wno-unknown-warning-option \
    "^$PWD/($tidy_folders)/.*\.cpp\$" >build/clang-tidy.log 2>&1 && return
  grep -E '(warning|error):' build/clang-tidy.log || tail -n 20 build/clang-tidy.log
  return 1
}

stage_python() {
  local venv=$PWD/build/venv
  [[ -x $venv/bin/python ]] || require python3 -m venv "$venv" || return
  require "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    --config-settings build-dir="$PWD/build/python" '.[test]' || return
  local results=build/python-results.xml
  "$venv/bin/python" -m pytest adapters/python/tests -q -n "$(($(nproc) + 1))" --dist worksteal \
    --junitxml="$results"
  count_results $? pytest "$results"
}

stage_demo() { check demo scripts/demo.sh; }

tidy_folders='plugin|backends|ops|retention'
stages=("$@")
case "${1-}" in
  -h | --help) sed -n '3,21s/^# \{0,1\}//p' "$0"; exit 0 ;;
  --core) stages=(release asan) ;;
  --full) stages=(release asan tsan fuzz checks tidy python demo) ;;
  --rotate)
    rotating=(asan tsan fuzz tidy)
    day=$((10#$(date -u +%j)))
    today=${rotating[day % 4]}
    # The whole would take too long beside the other stages: the backends have turns of their own.
    if ((day / 4 % 2)); then tidy_folders=backends; else tidy_folders='plugin|ops|retention'; fi
    stages=(release checks python demo "$today")
    ;;
  '') stages=(release asan checks python demo) ;;
esac
for stage in "${stages[@]}"; do
  declare -F "stage_$stage" >/dev/null || { echo "no stage '$stage'; try --help" >&2; exit 2; }
done

parts=(core tests)
[[ " ${stages[*]} " =~ ' '(fuzz|checks|tidy)' ' ]] && parts+=(checks)
[[ " ${stages[*]} " == *' python '* ]] && parts+=(python)
scripts/install-deps.sh "${parts[@]}" || exit 1

# What several stages compile is compiled once: the release, the Python package and the demo differ
# in their directory and in -Werror only, and the strictest of them comes first.
export CXX=${CXX:-c++} CMAKE_CXX_COMPILER_LAUNCHER=${CMAKE_CXX_COMPILER_LAUNCHER-ccache}
export CCACHE_DIR=${CCACHE_DIR:-$PWD/build/ccache} CCACHE_BASEDIR=$PWD CCACHE_IGNOREOPTIONS=-Werror

mkdir -p build
for stage in "${stages[@]}"; do
  say "$stage"
  "stage_$stage"
done

printf '\n'
for stage in release asan tsan fuzz checks tidy python demo; do
  [[ " ${stages[*]} " == *" $stage "* ]] || echo "left out: $stage"
done
for failure in "${failures[@]-}"; do [[ -z $failure ]] || echo "failed: $failure"; done
echo "$passed passed, $failed failed"
[[ $failed == 0 ]]
