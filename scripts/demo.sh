#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Shows an agent whose thread survives: builds threadkeep, then runs a LangGraph agent that is
# killed in the middle of its work, resumed, asked for approval, and sent back in time.
#
# Needs Debian with git and bash; installs the rest with apt (as root or with sudo), and Python
# packages into build-demo/ only. Asks nothing. Safe to run again. Ends with a non-zero status when
# anything that it claims is not so.
#
#   scripts/demo.sh [URL]     the store; default: a new SQLite file in build-demo/
set -euo pipefail
cd "$(dirname "$0")/.."

work=$PWD/build-demo
python=$work/venv/bin/python
log=$work/install.log
agent_process=

bold= green= plain=
if [[ -t 1 && -z ${NO_COLOR-} ]]; then bold=$'\033[1m' green=$'\033[32m' plain=$'\033[0m'; fi

title() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }
tell() { printf '%s\n' "$*"; }
fail() { printf '\nFAILED: %s\n' "$*" >&2; exit 1; }

# claim TEXT COMMAND...: the command must succeed.
claim() {
  local text=$1
  shift
  "$@" || fail "$text"
  printf '   %sproved:%s %s\n' "$green" "$plain" "$text"
}
said() { grep -qF -- "$1" "$work/output"; }
counted() { [[ $(grep -c -- "$2" "$ledger" || true) == "$1" ]]; }
# eventually COMMAND...: it succeeds within ten seconds.
eventually() {
  for _ in {1..100}; do
    if "$@"; then return 0; fi
    sleep 0.1
  done
  return 1
}
is_gone() { ! kill -0 "$1" 2>/dev/null; }

# Runs the agent in a process of its own; its output is shown and kept for the claims.
step() {
  printf '\n$ langgraph_agent.py'
  printf " '%s'" "$@"
  printf '\n'
  "${agent[@]}" "$@" | tee "$work/output" | sed 's/^/   /'
}

stop_agent() { [[ -z $agent_process ]] || kill -9 "$agent_process" 2>/dev/null || true; }
trap stop_agent EXIT

install_python_package() {
  scripts/install-deps.sh core python
  echo "Building the Python package into $work/venv (a few minutes the first time) ..."
  [[ -x $python ]] || python3 -m venv "$work/venv"
  if ! "$python" -m pip install --disable-pip-version-check --config-settings build-dir="$work/python" . \
    'langgraph>=1.0' >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    fail "the package does not build; all of the output is in $log"
  fi
}

mkdir -p "$work"
title "Install and build"
install_python_package

run=$(date +%Y%m%d-%H%M%S)-$$
mkdir -p "$work/runs/$run"
url=${1:-sqlite:$work/runs/$run/agent.db}
ledger=$work/runs/$run/side-effects.txt
thread=demo-$run
touch "$ledger"
# An array and no function: in the background a function would run in a shell, and SIGKILL would
# reach that shell instead of the agent.
agent=("$python" examples/langgraph_agent.py --url "$url" --thread "$thread" --ledger "$ledger")
tell "Every command below is a process of its own. What the agent knows between them is in the store:
$url"

title "1. A conversation, with streaming and a tool"
tell "The bars separate the tokens as they arrive."
step say "Hello, my name is Ada."
claim "the agent has heard the name" said "|Ada."
step say "What is the weather in Brest?"
claim "it called a tool and used its result" said "Fair |wind |at |Brest."

title "2. Killed in the middle of a super-step"
tell "The agent calls two tools at the same time. 'weather' finishes at once; 'tide' would take
ten minutes. A second process looks into the store until it sees there what 'weather' has found.
Then the agent gets SIGKILL, which no program can catch."
"${agent[@]}" --tide-seconds 600 say "Plan a sail from Brest." >"$work/killed-output" 2>&1 &
agent_process=$!
step wait
claim "the finished task's result is in the store" said "Fair wind at Brest."
claim "the agent is still at work" kill -0 "$agent_process"
claim "it is the process that runs the other task" \
  eventually counted 1 "tide Brest begin pid=$agent_process\$"
claim "and has not finished" counted 0 "tide Brest end"
{ kill -9 "$agent_process" && wait "$agent_process"; } 2>/dev/null || true
claim "the agent is dead" is_gone "$agent_process"
agent_process=
before=$(grep -c "weather Brest end" "$ledger")

title "3. A new process goes on where the old one died"
tell "It reads the result of 'weather' from the store and runs 'tide' only, quickly this time."
step resume
claim "it finished the plan from both results" said "|Fair |wind |at |Brest. |High |tide |at |Brest"
claim "'weather' was not run again: its side effects are as before" \
  counted "$before" "weather Brest end"
claim "'tide' ran once to its end" counted 1 "tide Brest end"
printf '\n   The ledger of side effects, which is kept outside of the store:\n'
sed 's/^/     /' "$ledger"

title "4. It remembers an earlier turn"
step say "What is my name?"
claim "it knows the name from before the crash" said "|Ada."

title "5. A human approves"
step say "Please book the boat."
claim "it waits for approval" said "[waits for approval] Shall I book the boat?"
claim "and nothing is booked yet" counted 0 "book boat"
tell "The process is gone; the question is in the store. Another process brings the answer."
step answer yes
claim "the boat is booked" said "|The |boat |is |booked."
claim "once" counted 1 "book boat end"

title "6. Back in time, and another way"
tell "The thread keeps every checkpoint. We go back to before the booking and say something else.
The tree then shows, for each checkpoint, the last message and what would run next."
"${agent[@]}" tree >"$work/tree"
past=$(grep -F "Your name is Ada." "$work/tree" | head -n 1 | grep -oE '[0-9a-f-]{36}')
step fork "$past" "What is the weather in Cork?"
claim "the other branch has its own answer" said "Fair |wind |at |Cork."
step tree
claim "the first branch is still there" said "The boat is booked."
claim "the second branch begins beside it" said "|-- "
claim "both hang on the same past" said "$past"

printf '\n%sAll claims hold.%s The store: %s\n' "$bold" "$plain" "$url"
