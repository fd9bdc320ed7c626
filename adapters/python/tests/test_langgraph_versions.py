# SPDX-License-Identifier: Apache-2.0
"""Threads that real old versions of LangGraph's Postgres saver wrote, with the LangGraph of their
time, each in a process of its own.

THREADKEEP_TEST_SAVERS names versions to try, as `SAVER=LANGGRAPH` separated by spaces. Each is
installed once, into build/.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import upstream_agent
from both_savers import OURS, THEIRS, Relay, SharedTables
from postgres_server import ICU, PostgresServer

ROOT = Path(__file__).parents[3]
# The first format of checkpoints, with sends kept apart and every value a blob; and the first saver
# of the present format, which keeps primitives inline. The newest one is in all the other tests.
DEFAULT_SAVERS = "1.0.9=0.2.28 2.0.25=0.6.11"
SAVERS = os.environ.get("THREADKEEP_TEST_SAVERS", DEFAULT_SAVERS).split()

# Savers before this version read no value that is inline, not even one that a later version of
# themselves wrote; and before this version of LangGraph, none reads a checkpoint of the format 4.
READS_INLINE = (2, 0, 23)

Act = Callable[[str], dict[str, Any]]


def installed(saver: str, langgraph: str) -> Path:
    """A folder with this version and all that it needs, apart from those of the tests."""
    folder = ROOT / "build" / f"langgraph-{langgraph}-with-{saver}"
    if not folder.exists():
        folder.parent.mkdir(exist_ok=True)
        new = tempfile.mkdtemp(dir=folder.parent)
        wanted = [f"langgraph-checkpoint-postgres=={saver}", f"langgraph=={langgraph}"]
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        command = [*pip, "--target", new, *wanted, "psycopg[binary]"]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        try:
            os.rename(new, folder)
        except OSError:  # Another process was faster.
            shutil.rmtree(new)
    return folder


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
    environment = {**os.environ, "PYTHONPATH": str(installed(*version))}

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
    """Calls the agent with a saver of today and the LangGraph of today."""
    with tables.saver(kind) as saver:
        agent = upstream_agent.build(saver)
        seen = json.loads(json.dumps(upstream_agent.act(agent, "t", action)))
    Relay(tables, upstream_agent.build, OURS, "sync").both_see_the_same("t")
    return dict(seen)


def set_values(seen: dict[str, Any]) -> dict[str, Any]:
    """The values without those that are None: old versions of LangGraph leave them out."""
    return {key: value for key, value in seen["values"].items() if value is not None}


GIVEN = {key: value for key, value in upstream_agent.GIVEN.items() if value is not None}
WORK = ["work 100", "work 200", "work 300"]


def test_a_thread_of_an_old_version(
    version: tuple[str, str], old: Act, tables: SharedTables
) -> None:
    began = old("start")
    assert (began["values"]["total"], began["next"]) == (11, ["work"] * 3)
    with tables.saver(OURS) as saver:
        saver.setup()
    # Both savers of today see what the old one said, and the tasks that it left.
    for kind in (OURS, THEIRS):
        looked = now(tables, kind, "look")
        assert set_values(looked) == set_values(began)
        assert (looked["next"], looked["history"][1:]) == (began["next"], began["history"][1:])
    resumed = now(tables, OURS, "resume")
    assert set_values(resumed) == {**GIVEN, "total": 611, "log": ["given", "plan", *WORK]}
    assert resumed["next"] == ["join"]
    ended = resume_with_the_old_one(version, old, tables)
    assert set_values(ended) == {**GIVEN, "total": 1611, "log": ["given", "plan", *WORK, "join"]}
    for kind in (OURS, THEIRS):
        assert now(tables, kind, "look") == {**ended, "values": now(tables, kind, "look")["values"]}
    again = now(tables, OURS, "again")
    assert set_values(again) == {
        **set_values(again),
        **GIVEN,
        "total": 1622,
        "log": again["values"]["log"],
    }


def resume_with_the_old_one(
    version: tuple[str, str], old: Act, tables: SharedTables
) -> dict[str, Any]:
    """The old saver goes on, if any version of it can go on after a later one."""
    if tuple(int(part) for part in version[0].split(".")) < READS_INLINE:
        return now(tables, OURS, "resume")
    assert old("look")["next"] == ["join"]
    return old("resume")


def test_a_thread_that_the_old_version_ended(old: Act, tables: SharedTables) -> None:
    """Values that nothing changes any more are carried on."""
    for action in ("start", "resume", "resume"):
        ended = old(action)
    with tables.saver(OURS) as saver:
        saver.setup()
    for number, kind in enumerate((OURS, THEIRS, OURS, THEIRS)):
        seen = now(tables, kind, "again" if number % 3 == 0 else "resume")
        assert {key: seen["values"][key] for key in GIVEN if key not in ("total", "log")} == {
            key: GIVEN[key] for key in GIVEN if key not in ("total", "log")
        }
    assert seen["values"]["total"] > ended["values"]["total"]
