#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tests/fuzz/run.sh SECONDS [BUILD]: runs each fuzz target for SECONDS from its kept corpus. BUILD is
# a build made with -DTHREADKEEP_FUZZ=ON (build/fuzz unless given). Status 1 on a finding; the input
# that shows it is left in BUILD/findings. Inputs that reach something new go to BUILD/corpus, so a
# later run begins there; those worth keeping belong into tests/fuzz/corpus/TARGET.
set -uo pipefail

seconds=${1:?usage: run.sh SECONDS [BUILD]}
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "${2:-$here/../../build/fuzz}" && pwd) || exit 1
mkdir -p "$build/findings"
status=0
ran=0

for program in "$build"/fuzz/fuzz_*; do
  [[ -x $program ]] || continue
  target=$(basename "$program")
  target=${target#fuzz_}
  kept=$here/corpus/$target
  if [[ ! -d $kept ]]; then
    echo "FAILED: fuzz target $target has no corpus in $kept" >&2
    status=1
    continue
  fi
  mkdir -p "$build/corpus/$target"
  echo "fuzzing $target for $seconds s"
  if ! "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=4096 \
      -artifact_prefix="$build/findings/$target-" -print_final_stats=1 -verbosity=0 \
      "$build/corpus/$target" "$kept" >"$build/findings/$target.log" 2>&1; then
    echo "FAILED: fuzz target $target; see $build/findings/$target.log" >&2
    tail -n 40 "$build/findings/$target.log" >&2
    status=1
  fi
  grep -E 'number_of_executed_units|new_units_added' "$build/findings/$target.log" || true
  ran=$((ran + 1))
done

if [[ $ran == 0 ]]; then
  echo "FAILED: no fuzz targets in $build/fuzz" >&2
  status=1
fi
exit $status
