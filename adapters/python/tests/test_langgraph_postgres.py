# SPDX-License-Identifier: Apache-2.0
"""Threads that go back and forth between LangGraph's Postgres saver and this one, at every step."""

from __future__ import annotations

import functools
import math
import operator
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any, TypedDict

import psycopg
import pytest
from langchain_core.messages import AnyMessage, HumanMessage
from langgraph.channels.delta import DeltaChannel
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.graph import START, StateGraph
from langgraph.types import Command, Send, interrupt

import upstream_agent
from both_savers import BOTH, OURS, THEIRS, Relay, SharedTables, old_rows
from helpers import V2, config_of, new_checkpoint, put, values_of
from postgres_server import BYTEWISE, ICU, PostgresServer

Other = {OURS: THEIRS, THEIRS: OURS}


def made_by(server: PostgresServer, kind: str) -> SharedTables:
    """Our tables in a database of bytewise order; those of the other in one of a language."""
    if kind == THEIRS:
        return SharedTables(server, ICU, server.schema(ICU, adopted=True))
    tables = SharedTables(server, BYTEWISE, server.schema())
    with tables.saver(OURS) as saver:
        saver.setup()
    return tables


# Who made the tables, which saver begins, and how it is called: every pair of these.
COLUMNS = ("maker", "first", "mode")
CASES = [
    (OURS, OURS, "sync"),
    (OURS, THEIRS, "async"),
    (THEIRS, THEIRS, "sync"),
    (THEIRS, OURS, "async"),
]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    columns = [column for column in COLUMNS if column in metafunc.fixturenames]
    if columns:
        at = [COLUMNS.index(column) for column in columns]
        rows = list(dict.fromkeys(tuple(case[index] for index in at) for case in CASES))
        metafunc.parametrize(columns, rows, ids=["-".join(row) for row in rows])


@pytest.fixture
def tables(maker: str, postgres_server: PostgresServer) -> SharedTables:
    return made_by(postgres_server, maker)


def relay(tables: SharedTables, first: str, mode: str) -> Any:
    return functools.partial(Relay, tables, first=first, mode=mode)


# Values


class Profile(TypedDict, total=False):
    name: str
    essay: str
    age: int
    big: int
    ratio: float
    flag: bool
    nothing: None
    messages: Annotated[list[AnyMessage], operator.add]
    log: Annotated[list[Any], operator.add]


PROFILE: dict[str, Any] = {
    "name": "Ada",
    "essay": "e" * 5000,
    "age": 36,
    "big": 2**64 - 1,
    "ratio": 0.1,
    "flag": True,
    "nothing": None,
    "messages": [HumanMessage("hi", id="1")],
    "log": ["nul \0 byte", {"nul\0": [b"\0"]}],
}


def profile(saver: Any, change: dict[str, Any] | None = None) -> Any:
    graph = StateGraph(Profile)
    graph.add_node("n", lambda state: {"log": ["n"], **(change or {})})
    graph.add_edge(START, "n")
    return graph.compile(checkpointer=saver)


def test_primitives_that_never_change(tables: SharedTables, first: str, mode: str) -> None:
    agent, config = relay(tables, first, mode)(profile), config_of("t")
    agent.invoke(PROFILE, config)
    for turn in range(1, 6):
        result = agent.invoke({"log": [turn]}, config)
        assert {**result, "log": 0} == {**PROFILE, "log": 0}
        assert result["log"][-2:] == [turn, "n"]


def test_primitives_that_the_other_changes(tables: SharedTables, first: str, mode: str) -> None:
    """From inline to a blob and back, and to no value that is simple at all."""
    series = [
        {"name": "short", "ratio": 1, "nothing": "some"},
        {"name": "long " * 100, "ratio": 1.0, "nothing": None},
        {"name": "x", "ratio": -1e-9, "nothing": [1]},
        {"name": None, "ratio": True, "nothing": "again"},
        {"name": ["list"], "ratio": 2**63, "nothing": ""},
        {"name": "last", "ratio": 0.5, "nothing": None},
    ]
    config = config_of("t")
    for number, values in enumerate(series):
        starts = first if number % 2 == 0 else Other[first]
        agent = relay(tables, starts, mode)(functools.partial(profile, change=values))
        agent.invoke(PROFILE if number == 0 else {"log": [number]}, config)
        for _ in range(2):
            agent.both_see_the_same("t")
        quiet = relay(tables, Other[starts], mode)(profile)
        result = quiet.invoke({"log": ["quiet"]}, config)
        assert {key: result[key] for key in values} == values


@pytest.mark.parametrize("value", ["nul \0 byte", math.inf, -math.inf, 1e300, -0.0])
def test_primitives_that_the_other_cannot_write(tables: SharedTables, value: Any) -> None:
    with tables.saver(OURS) as ours:
        config = put(ours, config_of("t"), new_checkpoint({"c": value}))
    with tables.saver(THEIRS) as theirs:
        found = values_of(theirs, config)["c"]
        assert (type(found), repr(found)) == (type(value), repr(value))
        # By itself it refuses such a value or changes it.
        try:
            following = put(theirs, config_of("other"), new_checkpoint({"c": value}))
        except psycopg.Error:
            return
        assert repr(values_of(theirs, following)["c"]) != repr(value)


def test_nan(tables: SharedTables) -> None:
    with tables.saver(OURS) as ours:
        config = put(ours, config_of("t"), new_checkpoint({"c": math.nan, "list": [math.nan]}))
    with tables.saver(THEIRS) as theirs:
        values = values_of(theirs, config)
        assert math.isnan(values["c"]) and math.isnan(values["list"][0])
        following = new_checkpoint({"list": values["list"]}, V2)
        config = put(theirs, config, following)
    with tables.saver(OURS) as ours:
        assert math.isnan(values_of(ours, config)["list"][0])


def test_metadata(tables: SharedTables, first: str) -> None:
    config = config_of("t")
    config["configurable"] |= {"user": "u\0 1", "level": 3}
    config["metadata"] = {"run_id": "r1"}
    given = {"source": "loop", "step": 0, "tenant": {"name": "acme", "tags": ["a", None]}}
    with tables.saver(first) as saver:
        stored = put(saver, config, new_checkpoint({"c": 1}), given)
    with tables.saver(Other[first]) as other:
        found = other.get_tuple(stored)
        assert found.metadata["user"] == "u 1" and found.metadata["level"] == 3
        assert found.metadata["tenant"] == {"name": "acme", "tags": ["a", None]}
        filters = [{"tenant": {"name": "acme", "tags": ["a", None]}}, {"level": 3, "run_id": "r1"}]
        assert [len(list(other.list(None, filter=each))) for each in filters] == [1, 1]


def encrypted() -> EncryptedSerializer:
    return EncryptedSerializer.from_pycryptodome_aes(key=b"k" * 32)


def test_encryption(tables: SharedTables, first: str, mode: str) -> None:
    agent = relay(tables, first, mode)(profile, serde=encrypted)
    config, given = config_of("t"), {**PROFILE, "log": ["secret"]}
    agent.invoke(given, config)
    for turn in range(4):
        result = agent.invoke({"log": [turn]}, config)
        assert {**result, "log": 0} == {**given, "log": 0}
    assert result["log"] == ["secret", "n", 0, "n", 1, "n", 2, "n", 3, "n"]
    types = {row["type"] for row in tables.execute("SELECT type FROM checkpoint_blobs")}
    assert types and all(type_tag.endswith("+aes") for type_tag in types)


# Delta channels


class Delta(TypedDict, total=False):
    name: str
    log: Annotated[
        list[str],
        DeltaChannel(
            lambda state, writes: state + [item for write in writes for item in write],
            list,
            snapshot_frequency=4,
        ),
    ]


def delta(saver: Any) -> Any:
    graph = StateGraph(Delta)
    graph.add_node("a", lambda state: {"log": [f"a{len(state['log'])}"]})
    graph.add_node("b", lambda state: {"log": [f"b{len(state['log'])}"]})
    graph.add_edge(START, "a")
    graph.add_edge(START, "b")
    return graph.compile(checkpointer=saver)


@pytest.mark.parametrize("durability", ["sync", "exit"])
def test_delta_channels(tables: SharedTables, first: str, mode: str, durability: Any) -> None:
    agent, config = relay(tables, first, mode)(delta), config_of("t")
    expected: list[str] = []
    for turn in range(7):
        given = {"log": [f"t{turn}"]} | ({"name": "Ada"} if turn == 0 else {})
        result = agent.invoke(given, config, durability=durability)
        expected += [f"t{turn}", f"a{len(expected) + 1}", f"b{len(expected) + 1}"]
        assert result == {"name": "Ada", "log": expected}
    states = agent.call(OURS, "get_state_history", config)
    middle = next(state for state in states if len(state.values["log"]) == 9 and not state.next)
    fork = agent.update_state(middle.config, {"log": ["fork"]}, as_node="b")
    result = agent.invoke({"log": ["on"]}, fork)
    assert result["log"] == [*expected[:9], "fork", "on", "a11", "b11"]


def test_snapshots_are_marked_in_the_document(tables: SharedTables, first: str) -> None:
    """Versions 3.1.0 and 3.1.1 find them so, and later ones refuse to prune such threads."""
    agent = relay(tables, first, "sync")(delta)
    for turn in range(4):
        agent.invoke({"log": [f"t{turn}"]}, config_of("t"))
    snapshots = tables.execute(
        """
        SELECT EXISTS (
            SELECT FROM checkpoints c
            WHERE c.checkpoint -> 'channel_versions' ->> 'log' = b.version
              AND c.checkpoint -> 'channel_values' -> 'log' = 'true'
        ) AS marked
        FROM checkpoint_blobs b WHERE channel = 'log'
        """
    )
    assert len(snapshots) > 1 and all(row["marked"] for row in snapshots)
    with tables.saver(THEIRS) as theirs, pytest.raises(NotImplementedError, match="DeltaChannel"):
        theirs.prune(["t"])
    with tables.saver(OURS) as ours:
        before = agent.call(OURS, "get_state", config_of("t"))
        ours.prune(["t"])
    assert agent.call(THEIRS, "get_state", config_of("t")).values == before.values
    assert len(agent.invoke({"log": ["on"]}, config_of("t"))["log"]) == 15


# Pending writes, interrupts, subgraphs, forks


class Sum(TypedDict, total=False):
    name: str
    total: Annotated[int, operator.add]
    log: Annotated[list[str], operator.add]


def test_a_failed_super_step(tables: SharedTables, first: str, mode: str) -> None:
    """What finished beside the failure is not done again by the other saver."""
    runs: list[int] = []
    broken = True

    def work(number: int) -> dict[str, Any]:
        runs.append(number)
        if number == 2 and broken:
            raise RuntimeError("number 2")
        return {"total": number, "log": [str(number)]}

    def build(saver: Any) -> Any:
        graph = StateGraph(Sum)
        graph.add_node("work", work)
        graph.add_conditional_edges(START, lambda state: [Send("work", n) for n in range(3)])
        return graph.compile(checkpointer=saver)

    agent, config = relay(tables, first, mode)(build), config_of("t")
    limits = {**config, "max_concurrency": 1}  # One after the other, so the first two finish.
    for _ in range(2):
        with pytest.raises(RuntimeError, match="number 2"):
            agent.invoke({"name": "Ada", "total": 10}, limits, durability="sync")
        assert runs[-3:] == [0, 1, 2]
        failed = agent.call(THEIRS, "get_state", config)
        assert [task.error is None for task in failed.tasks] == [True, True, False]
        broken = False
        result = agent.invoke(None, limits)
        assert runs[-1] == 2 and runs.count(2) == 2 and len(runs) == 4
        broken = True
        runs.clear()
    assert result["total"] == 26 and result["log"] == ["0", "1", "2"] * 2


def test_interrupts(tables: SharedTables, first: str, mode: str) -> None:
    ran: list[str] = []

    def tool(name: str) -> dict[str, Any]:
        answer = interrupt(f"may I {name}?") if name != "harmless" else "yes"
        ran.append(name)
        return {"log": [f"{name}: {answer}"]}

    def build(saver: Any) -> Any:
        graph = StateGraph(Sum)
        graph.add_node("tool", tool)
        names = ("delete", "harmless", "pay")
        graph.add_conditional_edges(START, lambda state: [Send("tool", name) for name in names])
        return graph.compile(checkpointer=saver)

    agent, config = relay(tables, first, mode)(build), config_of("t")
    agent.invoke({"total": 0, "name": "Ada"}, config)
    assert ran == ["harmless"]
    for question, answer in (("may I pay?", "no"), ("may I delete?", "go")):
        state = agent.call(OURS, "get_state", config)
        asked = {each.value: each.id for each in state.interrupts}
        result = agent.invoke(Command(resume={asked[question]: answer}), config)
    assert result["log"] == ["delete: go", "harmless: yes", "pay: no"]
    assert ran.count("harmless") == 1 and result["name"] == "Ada"


def test_a_node_that_asks_several_times(tables: SharedTables, first: str, mode: str) -> None:
    """The answers so far are one special write, which each resume replaces."""

    def ask(state: Sum) -> dict[str, Any]:
        return {"log": [interrupt("one"), interrupt("two"), interrupt("three")]}

    def build(saver: Any) -> Any:
        graph = StateGraph(Sum)
        graph.add_node("ask", ask)
        graph.add_edge(START, "ask")
        return graph.compile(checkpointer=saver)

    agent, config = relay(tables, first, mode)(build), config_of("t")
    agent.invoke({"total": 0}, config)
    for answer in ("a", "b"):
        assert agent.invoke(Command(resume=answer), config)["__interrupt__"]
    assert agent.invoke(Command(resume="c"), config)["log"] == ["a", "b", "c"]


def test_subgraphs(tables: SharedTables, first: str, mode: str) -> None:
    def build(saver: Any) -> Any:
        inner = StateGraph(Sum)
        inner.add_node("ask", lambda state: {"log": [f"{state['name']} {interrupt('inner?')}"]})
        inner.add_node("after", lambda state: {"total": 5})
        inner.add_edge(START, "ask")
        inner.add_edge("ask", "after")
        kept = StateGraph(Sum)
        kept.add_node("count", lambda state: {"total": 1})
        kept.add_edge(START, "count")
        outer = StateGraph(Sum)
        outer.add_node("inner", inner.compile())
        outer.add_node("kept", kept.compile(checkpointer=True))
        outer.add_edge(START, "inner")
        outer.add_edge("inner", "kept")
        return outer.compile(checkpointer=saver)

    agent, config = relay(tables, first, mode)(build), config_of("t")
    for turn in range(2):
        agent.invoke({"total": 0, "name": "Ada"}, config)
        ours, theirs = (agent.call(kind, "get_state", config, subgraphs=True) for kind in BOTH)
        assert ours == theirs and ours.tasks[0].state.next == ("ask",)
        result = agent.invoke(Command(resume=f"answer {turn}"), config)
        assert result["log"][-1] == f"Ada answer {turn}"
    namespaces = {
        row.config["configurable"]["checkpoint_ns"].split(":")[0]
        for row in agent.both_see_the_same("t")
    }
    assert namespaces == {"", "inner", "kept"}


def test_forks(tables: SharedTables, first: str, mode: str) -> None:
    def build(saver: Any) -> Any:
        graph = StateGraph(Sum)
        for name in ("n0", "n1", "n2"):
            graph.add_node(name, lambda state, name=name: {"total": 1, "log": [name]})
        graph.add_edge(START, "n0")
        graph.add_edge("n0", "n1")
        graph.add_edge("n1", "n2")
        return graph.compile(checkpointer=saver)

    agent, config = relay(tables, first, mode)(build), config_of("t")
    agent.invoke({"total": 0, "name": "Ada"}, config)
    history = agent.call(THEIRS, "get_state_history", config)
    middle = next(state for state in history if state.next == ("n2",))
    for number in range(2):  # Each saver forks once, and the other goes on.
        fork = agent.update_state(middle.config, {"total": 100, "log": [f"edited {number}"]})
        agent.update_state(fork, {"name": f"Ada {number}"})
        result = agent.invoke(None, config)
        expected = {"total": 103, "log": ["n0", "n1", f"edited {number}", "n2"]}
        assert result == {"name": f"Ada {number}", **expected}
    assert agent.call(OURS, "get_state", history[0].config).values["total"] == 3
    for _ in range(2):
        copied = agent.update_state(middle.config, None, as_node="__copy__")
        assert agent.call(OURS, "get_state", copied).values["total"] == 2
        assert agent.invoke(None, middle.config)["total"] == 3


# Rows that only other versions write


def test_a_parent_without_a_name(tables: SharedTables) -> None:
    """The other saver stores an empty checkpoint id as it is given."""
    with tables.saver(THEIRS) as theirs:
        stored = put(theirs, config_of("t", ""), new_checkpoint({"c": "x"}, v=1))
        expected = theirs.get_tuple(stored)
    assert tables.execute("SELECT parent_checkpoint_id AS id FROM checkpoints") == [{"id": ""}]
    with tables.saver(OURS) as ours:
        assert ours.get_tuple(stored) == expected == next(ours.list(None))
        assert ours.get_delta_channel_history(config=stored, channels=["c"]) == {
            "c": {"writes": []}
        }
        following = put(ours, stored, new_checkpoint({"c": "y"}, V2))
        history = ours.get_delta_channel_history(config=following, channels=["c"])
        assert history == {"c": {"writes": [], "seed": "x"}}
        ours.prune(["t"])
        assert values_of(ours, config_of("t")) == {"c": "y"}


def test_channels_that_have_no_value(tables: SharedTables) -> None:
    """Versions before 2.0.23 store rows of type "empty" for them."""
    with tables.saver(OURS) as ours:
        config = put(ours, config_of("t"), new_checkpoint({"a": ["kept"], "b": ["gone"]}))
        for blob in (None, b""):
            tables.execute(
                "UPDATE checkpoint_blobs SET type = 'empty', blob = %s WHERE channel = 'b'", blob
            )
            found = [saver.get_tuple(config) for saver in (ours,)]
            with tables.saver(THEIRS) as theirs:
                found.append(theirs.get_tuple(config))
            assert found[0] == found[1] and found[0].checkpoint["channel_values"] == {"a": ["kept"]}


def test_sends_of_old_checkpoints(tables: SharedTables, first: str, mode: str) -> None:
    def build(saver: Any) -> Any:
        graph = StateGraph(Sum)
        graph.add_node("work", lambda number: {"total": number, "log": [f"work {number}"]})
        graph.add_node("start", lambda state: {})
        graph.add_edge(START, "start")
        return graph.compile(checkpointer=saver)

    old_rows(tables, "t")
    agent, config = relay(tables, first, mode)(build), config_of("t")
    rows = agent.both_see_the_same("t")
    sends = [Send("work", 1), Send("work", 2), Send("work", 3)]
    assert rows[0].checkpoint["channel_values"]["__pregel_tasks"] == sends
    expected = {"total": 13, "log": ["old", "work 1", "work 2", "work 3"]}
    assert agent.invoke(None, config) == expected
    assert agent.invoke({"total": 1}, config)["total"] == 14


# Deleting


def test_each_sees_what_the_other_deletes(tables: SharedTables, first: str) -> None:
    agent = relay(tables, first, "sync")(profile)
    for thread in ("t", "u"):
        for turn in range(3):
            agent.invoke(PROFILE if turn == 0 else {"log": [turn]}, config_of(thread))
    with tables.saver(first) as saver:
        saver.delete_thread("t")
    with tables.saver(Other[first]) as other:
        assert list(other.list({"configurable": {"thread_id": "t"}})) == []
    again = relay(tables, Other[first], "sync")(profile)
    for turn in range(3):  # The id may be used again.
        result = again.invoke(
            {**PROFILE, "log": []} if turn == 0 else {"log": [turn]}, config_of("t")
        )
    assert result["log"] == ["n", 1, "n", 2, "n"] and result["essay"] == PROFILE["essay"]
    assert len(again.both_see_the_same("u")) > 2
    for table in ("checkpoint_blobs", "checkpoint_writes"):
        left = tables.execute(f"SELECT count(*) AS n FROM {table} WHERE thread_id = 'u'")
        assert left[0]["n"] > 0


def test_each_goes_on_after_the_other_pruned(tables: SharedTables, first: str, mode: str) -> None:
    agent, config = relay(tables, first, mode)(profile), config_of("t")
    agent.invoke(PROFILE, config)
    for turn in range(4):
        with tables.saver(BOTH[turn % 2]) as saver:
            saver.prune(["t"])
        assert len(agent.both_see_the_same("t")) == 1
        result = agent.invoke({"log": [turn]}, config)
        assert {**result, "log": 0} == {**PROFILE, "log": 0}
    assert result["log"] == [*PROFILE["log"], "n", 0, "n", 1, "n", 2, "n", 3, "n"]


def test_a_copy_is_a_thread_for_both(tables: SharedTables) -> None:
    agent = relay(tables, THEIRS, "sync")(profile)
    agent.invoke(PROFILE, config_of("t"))
    with tables.saver(OURS) as ours:
        ours.copy_thread("t", "copy")
    for turn in range(2):
        result = agent.invoke({"log": [turn]}, config_of("copy"))
    assert {**result, "log": 0} == {**PROFILE, "log": 0}


# Processes


PROCESS = """
    import json, sys
    import upstream_agent
    from both_savers import *
    kind, ours, theirs, action = sys.argv[1:]
    tables = SharedTables.__new__(SharedTables)
    tables.ours, tables.theirs = ours, theirs
    with tables.saver(kind) as saver:
        print(json.dumps(upstream_agent.act(upstream_agent.build(saver), "t", action)))
"""


def test_a_new_process_for_each_step(maker: str, tables: SharedTables) -> None:
    kinds = [Other[maker], maker] * 3
    actions = ["start", "resume", "resume", "again", "resume", "resume"]
    totals = []
    for kind, action in zip(kinds, actions, strict=True):
        code = "\n".join(line[4:] for line in PROCESS.splitlines())
        command = [sys.executable, "-c", code, kind, tables.ours, tables.theirs, action]
        folder = Path(__file__).parent
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        seen = upstream_agent.json.loads(done.stdout)
        kept = {key: seen["values"][key] for key in ("name", "essay", "answer", "flag", "nothing")}
        assert kept == {key: upstream_agent.GIVEN[key] for key in kept}
        totals.append((seen["values"]["total"], seen["next"]))
    work = ["work"] * 3
    assert totals == [
        (11, work),
        (611, ["join"]),
        (1611, []),
        (1622, work),
        (2222, ["join"]),
        (3222, []),
    ]
