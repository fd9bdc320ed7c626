# SPDX-License-Identifier: Apache-2.0
"""An agent keeps talking while Postgres is stopped, killed and restarted."""

from __future__ import annotations

import operator
import time
import urllib.parse
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.graph import END, START, StateGraph

import threadkeep
from helpers import config_of
from postgres_server import BYTEWISE, PostgresServer, running_server
from threadkeep.langgraph import ThreadkeepSaver


class Talk(TypedDict):
    said: Annotated[list[str], operator.add]


def agent(saver: ThreadkeepSaver) -> Any:
    """Answers each thing that is said, in two steps."""
    graph = StateGraph(Talk)
    graph.add_node("hear", lambda state: {"said": [f"heard {state['said'][-1]}"]})
    graph.add_node("answer", lambda state: {"said": [f"answer {len(state['said'])}"]})
    graph.add_edge(START, "hear")
    graph.add_edge("hear", "answer")
    graph.add_edge("answer", END)
    return graph.compile(checkpointer=saver)


def after(turns: int) -> list[str]:
    """What was said in so many turns."""
    said: list[str] = []
    for turn in range(turns):
        said += [f"turn {turn}", f"heard turn {turn}"]
        said.append(f"answer {len(said)}")
    return said


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with running_server(fsync="on", synchronous_commit="on", full_page_writes="on") as server:
        yield server


def new_url(server: PostgresServer) -> str:
    return server.threadkeep_url(BYTEWISE, server.schema(BYTEWISE))


def comes_true(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def is_healthy(store: threadkeep.Store) -> bool:
    health = store.ping()
    return health.ok and "in the fallback" not in health.detail


@pytest.mark.parametrize("journal", ["memory:", "sqlite:TMP"])
@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
def test_an_agent_goes_on(
    server: PostgresServer, tmp_path: Path, journal: str, durability: Any
) -> None:
    plain = new_url(server)
    thread = str(uuid.uuid4())
    fallback = urllib.parse.quote(journal.replace("TMP", str(tmp_path / "journal.db")), safe="")
    store = threadkeep.open(f"{plain}&fallback={fallback}")
    bot = agent(ThreadkeepSaver(store))

    def talk(turn: int) -> None:
        said = bot.invoke({"said": [f"turn {turn}"]}, config_of(thread), durability=durability)
        assert said["said"] == after(turn + 1)

    talk(0)
    server.stop()
    talk(1)
    talk(2)
    server.restart()
    talk(3)
    assert comes_true(lambda: is_healthy(store))
    talk(4)
    server.kill()
    talk(5)
    server.restart()
    talk(6)
    assert comes_true(lambda: is_healthy(store))
    talk(7)

    fresh = agent(ThreadkeepSaver(threadkeep.open(plain)))
    assert fresh.get_state(config_of(thread)).values["said"] == after(8)
    history = list(fresh.get_state_history(config_of(thread)))
    assert len(history) == 8 * (1 if durability == "exit" else 4)
    seen = {len(state.values.get("said", [])) for state in history}
    assert {3 * turn for turn in range(1, 9)} <= seen
    # One line of ancestors: nothing went on beside another.
    parents = [state.parent_config for state in history]
    assert [p["configurable"]["checkpoint_id"] for p in parents if p] == [
        state.config["configurable"]["checkpoint_id"] for state in history[1:]
    ]


def test_an_unknown_thread_is_not_taken_for_a_new_one(server: PostgresServer) -> None:
    plain = new_url(server)
    thread = str(uuid.uuid4())
    agent(ThreadkeepSaver(threadkeep.open(plain))).invoke({"said": ["turn 0"]}, config_of(thread))
    refusing = threadkeep.open(f"{plain}&fallback=memory%3A")
    allowing = threadkeep.open(f"{plain}&fallback=memory%3A&fallback_new=allow")
    server.stop()
    try:
        with pytest.raises(threadkeep.UnavailableError, match="cannot be told from"):
            agent(ThreadkeepSaver(refusing)).invoke({"said": ["turn 1"]}, config_of(thread))
        begun = agent(ThreadkeepSaver(allowing))
        said = begun.invoke({"said": ["turn 0"]}, config_of("new " + thread))
        assert said["said"] == after(1)
    finally:
        server.restart()
    assert comes_true(lambda: is_healthy(allowing))
    fresh = agent(ThreadkeepSaver(threadkeep.open(plain)))
    assert fresh.get_state(config_of("new " + thread)).values["said"] == after(1)
    assert fresh.get_state(config_of(thread)).values["said"] == after(1)
