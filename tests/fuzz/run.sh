#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tests/fuzz/run.sh SECONDS [BUILD]: runs each fuzz target for SECONDS from its kept corpus, as many at
# a time as there are processors. BUILD is a build made with -DTHREADKEEP_FUZZ=ON (build/fuzz unless
# given). Status 1 on a finding; the input that shows it is left in BUILD/findings. Inputs that reach
# something new go to BUILD/corpus, so a later run begins there; those worth keeping belong into
# tests/fuzz/corpus/TARGET.
set -uo pipefail

seconds=${1:?usage: run.sh SECONDS [BUILD]}
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "${2:-$here/../../build/fuzz}" && pwd) || exit 1
export seconds here build

fuzz() {
  local target=${1##*/fuzz_}
  local kept=$here/corpus/$target log=$build/findings/$target.log
  if [[ ! -d $kept ]]; then
    echo "FAILED: fuzz target $target has no corpus in $kept" >&2
    return 1
  fi
  mkdir -p "$build/corpus/$target"
  if ! "$1" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=4096 \
      -artifact_prefix="$build/findings/$target-" -print_final_stats=1 -verbosity=0 \
      "$build/corpus/$target" "$kept" >"$log" 2>&1; then
    echo "FAILED: fuzz target $target; see $log" >&2
    tail -n 40 "$log" >&2
    return 1
  fi
  echo "$target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs in $seconds s"
}
export -f fuzz

mkdir -p "$build/findings"
shopt -s nullglob
programs=("$build"/fuzz/fuzz_*)
if [[ ${#programs[@]} == 0 ]]; then
  echo "FAILED: no fuzz targets in $build/fuzz" >&2
  exit 1
fi
# xargs ends with a status of its own when any of them fails.
printf '%s\0' "${programs[@]}" | xargs -0 -n 1 -P "$(nproc)" bash -c 'fuzz "$1"' fuzz || exit 1
