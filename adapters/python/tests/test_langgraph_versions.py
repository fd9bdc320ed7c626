# SPDX-License-Identifier: Apache-2.0
"""Threads that real old versions of LangGraph's Postgres saver wrote, with the LangGraph of their
time, each in a process of its own.

THREADKEEP_TEST_SAVERS names versions to try, as `SAVER=LANGGRAPH` separated by spaces. Each is
installed once, into build/.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import upstream_agent
from both_savers import OURS, THEIRS, Relay, SharedTables
from installed import installed
from postgres_server import ICU, PostgresServer

# The first format of checkpoints, with sends kept apart and every value a blob; and the first saver
# of the present format, which keeps primitives inline. The newest one is in all the other tests.
DEFAULT_SAVERS = "1.0.9=0.2.28 2.0.25=0.6.11"
SAVERS = os.environ.get("THREADKEEP_TEST_SAVERS", DEFAULT_SAVERS).split()

# Savers before this version read no value that is inline, not even one that a later version of
# themselves wrote; and before this version of LangGraph, none reads a checkpoint of the format 4.
READS_INLINE = (2, 0, 23)

Act = Callable[[str], dict[str, Any]]


def folder_of(saver: str, langgraph: str) -> Path:
    """This version and all that it needs."""
    wanted = [f"langgraph-checkpoint-postgres=={saver}", f"langgraph=={langgraph}"]
    return installed(f"langgraph-{langgraph}-with-{saver}", *wanted, "psycopg[binary]")


@pytest.fixture(params=SAVERS)
def version(request: pytest.FixtureRequest) -> tuple[str, str]:
    saver, langgraph = request.param.split("=")
    return saver, langgraph


@pytest.fixture
def tables(postgres_server: PostgresServer) -> SharedTables:
    return SharedTables(postgres_server, ICU, postgres_server.schema(ICU))


@pytest.fixture
def old(version: tuple[str, str], tables: SharedTables) -> Act:
    """Calls the agent with the old saver. The first call makes the tables."""
    environment = {**os.environ, "PYTHONPATH": str(folder_of(*version))}

    def act(action: str) -> dict[str, Any]:
        # Without -S the newer packages of this interpreter would mix with the old ones.
        program = [sys.executable, "-S", "-W", "ignore", upstream_agent.__file__]
        command = [*program, tables.theirs, "t", action]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    return act


def now(tables: SharedTables, kind: str, action: str) -> dict[str, Any]:
    """Calls the agent with a saver of today and the LangGraph of today. Both see the same after."""
    with tables.saver(kind) as saver:
        seen = upstream_agent.act(upstream_agent.build(saver), "t", action)
    Relay(tables, upstream_agent.build, OURS, "sync").both_see_the_same("t")
    return seen


def total(seen: dict[str, Any]) -> tuple[int, list[str]]:
    """The sum and the next tasks, when all that was given once is still there."""
    once = {
        key: value for key, value in upstream_agent.GIVEN.items() if key not in ("total", "log")
    }
    # Old versions of LangGraph leave out what is None.
    assert {key: seen["values"].get(key) for key in once} == once
    return seen["values"]["total"], seen["next"]


WORK = ["work"] * 3


def test_a_thread_of_an_old_version(
    version: tuple[str, str], old: Act, tables: SharedTables
) -> None:
    began = old("start")
    assert total(began) == (11, WORK)
    with tables.saver(OURS) as saver:
        saver.setup()
    for kind in (OURS, THEIRS):
        looked = now(tables, kind, "look")
        assert total(looked) == (11, WORK)  # The tasks that the old one left are there.
        assert looked["history"] == began["history"] and looked["metadata"] == began["metadata"]
    assert total(now(tables, OURS, "resume")) == (611, ["join"])
    if tuple(int(part) for part in version[0].split(".")) >= READS_INLINE:
        assert total(old("look")) == (611, ["join"])
        assert total(old("resume")) == (1611, [])
    else:  # It cannot go on after any later version.
        assert total(now(tables, THEIRS, "resume")) == (1611, [])
    ended = now(tables, OURS, "look")
    assert ended["values"]["log"] == ["given", "plan", "work 100", "work 200", "work 300", "join"]
    assert total(now(tables, OURS, "again")) == (1622, WORK)


def test_a_thread_that_the_old_version_ended(old: Act, tables: SharedTables) -> None:
    for action in ("start", "resume", "resume"):
        ended = old(action)
    assert total(ended) == (1611, [])
    with tables.saver(OURS) as saver:
        saver.setup()
    assert total(now(tables, OURS, "again")) == (1622, WORK)
    assert total(now(tables, THEIRS, "resume")) == (2222, ["join"])
    assert total(now(tables, OURS, "resume")) == (3222, [])
    assert total(now(tables, THEIRS, "again")) == (3233, WORK)
