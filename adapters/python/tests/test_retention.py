# SPDX-License-Identifier: Apache-2.0
"""Sweeps beside LangGraph's own Postgres saver, which knows nothing of them."""

from __future__ import annotations

import json
import operator
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.graph import END, START, StateGraph

from both_savers import BOTH, OURS, THEIRS, SharedTables
from helpers import config_of, new_checkpoint, put
from postgres_server import BYTEWISE, ICU, PostgresServer

POLICIES = """
retention:
  policies:
    - {name: short, threads: 'short-*', idle: 1s}
    - {name: few, threads: 'few-*', keep_last: 2}
"""
TURNS = 25


class State(TypedDict, total=False):
    turn: int
    essay: str  # stored once, and shared by all checkpoints that follow
    count: Annotated[int, operator.add]
    log: Annotated[list[int], operator.add]


def build(saver: Any) -> Any:
    def work(state: State) -> State:
        done: State = {"count": 1, "log": [state["turn"]]}
        if "essay" not in state:
            done["essay"] = "long \u00e9 " * 50
        return done

    graph = StateGraph(State)
    graph.add_node("work", work)
    graph.add_node("rest", lambda state: {})
    graph.add_edge(START, "work")
    graph.add_edge("work", "rest")
    graph.add_edge("rest", END)
    return graph.compile(checkpointer=saver)


def is_whole(state: dict[str, Any]) -> bool:
    """Nothing of it was lost, though all may have begun anew."""
    return bool(state["count"] == len(state["log"]) and state["essay"].startswith("long"))


class Swept:
    """Tables that both savers use, with policies, and the command that sweeps them."""

    def __init__(self, tables: SharedTables, folder: Path) -> None:
        self.tables = tables
        self._file = folder / "threadkeep.yaml"
        self._file.write_text(f"url: {tables.ours}\n{POLICIES}")
        self._run("setup")
        self._run("retention", "apply")

    def sweep(self) -> dict[str, Any]:
        swept: dict[str, Any] = self._run("retention", "sweep", "--yes", "--batch-size", "20")
        return swept

    def pass_grace(self, threads: str) -> None:
        """As if the sweeps until now had been longer ago than the grace of values."""
        self.tables.execute(
            "UPDATE threadkeep_retention_garbage SET removed_at = removed_at - interval '16 min'"
            " WHERE thread_id LIKE %s",
            threads,
        )

    def count(self, table: str, where: str = "true") -> int:
        (row,) = self.tables.execute(f"SELECT count(*) AS number FROM {table} WHERE {where}")
        return int(row["number"])

    def _run(self, *arguments: str) -> Any:
        command = Path(sys.executable).with_name("threadkeep")
        done = subprocess.run(
            [command, *arguments, "--config", str(self._file), "--json"],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)


@pytest.fixture(params=BOTH)
def swept(
    request: pytest.FixtureRequest, postgres_server: PostgresServer, tmp_path: Path
) -> Iterator[Swept]:
    """On tables that each of the savers has made."""
    database, adopted = (ICU, True) if request.param == THEIRS else (BYTEWISE, False)
    schema = postgres_server.schema(database, adopted=adopted)
    yield Swept(SharedTables(postgres_server, database, schema), tmp_path)


def take_turns(tables: SharedTables, kind: str, thread: str, pause: float) -> None:
    """An agent that goes on with its thread, whatever sweeps have left of it."""
    with tables.saver(kind) as saver:
        agent = build(saver)
        for turn in range(TURNS):
            state = agent.invoke({"turn": turn}, config_of(thread))
            assert is_whole(state)
            assert state["log"][-1] == turn
            time.sleep(pause if turn % 5 == 4 else 0)


def every_checkpoint_loads(tables: SharedTables) -> None:
    threads = tables.execute("SELECT DISTINCT thread_id FROM checkpoints ORDER BY 1")
    for kind in BOTH:
        with tables.saver(kind) as saver:
            agent = build(saver)
            for thread in (row["thread_id"] for row in threads):
                for loaded in saver.list(config_of(thread)):
                    versions = loaded.checkpoint["channel_versions"]
                    assert versions.keys() >= loaded.checkpoint["channel_values"].keys()
                    if "log" in versions:
                        assert is_whole(loaded.checkpoint["channel_values"])
                assert is_whole(agent.get_state(config_of(thread)).values)


def test_what_stays_is_whole_while_agents_run(swept: Swept) -> None:
    agents = [(THEIRS, f"few-{number}", 0.0) for number in range(2)]
    agents += [(OURS, "few-ours", 0.0)]
    agents += [(THEIRS, f"short-{number}", 1.2) for number in range(3)]
    agents += [(THEIRS, "kept", 0.0)]
    with ThreadPoolExecutor(len(agents)) as pool:
        running = [pool.submit(take_turns, swept.tables, *agent) for agent in agents]
        while not all(agent.done() for agent in running):
            swept.sweep()
            swept.pass_grace("few-%")
        for agent in running:
            agent.result()
    every_checkpoint_loads(swept.tables)
    time.sleep(1.1)
    for _ in range(2):
        assert swept.sweep()["finished"]
        swept.pass_grace("%")
    every_checkpoint_loads(swept.tables)
    assert swept.count("checkpoints", "thread_id LIKE 'short-%%'") == 0
    assert swept.count("checkpoint_blobs", "thread_id LIKE 'short-%%'") == 0
    assert swept.count("checkpoints", "thread_id LIKE 'few-%%'") == 6
    assert swept.count("checkpoints", "thread_id = 'kept'") >= TURNS
    for policy in ("short", "few"):
        assert swept.count("threadkeep_retention_audit", f"policy = '{policy}'") > 0


def test_a_worker_that_loaded_before_the_sweep_may_put_after_it(swept: Swept) -> None:
    with swept.tables.saver(THEIRS) as saver:
        first = new_checkpoint({"essay": "long", "step": 1})
        put(saver, config_of("short-1"), first)
        loaded = saver.get_tuple(config_of("short-1"))
        assert loaded is not None
        time.sleep(1.1)
        swept.sweep()
        assert saver.get_tuple(config_of("short-1")) is None
        versions = {**first["channel_versions"], "step": "2"}
        second = new_checkpoint({"essay": "long", "step": 2}, channel_versions=versions)
        put(saver, loaded.config, second, new_versions={"step": "2"})
        swept.tables.execute("INSERT INTO threadkeep_retention_marks VALUES ('short-1', 'pin', '')")
        swept.pass_grace("%")
        swept.sweep()
        late = saver.get_tuple(config_of("short-1"))
        assert late is not None
        assert late.checkpoint["channel_values"] == {"essay": "long", "step": 2}
