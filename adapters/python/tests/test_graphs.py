# SPDX-License-Identifier: Apache-2.0
"""Real graphs on real stores: what LangGraph does with a saver, in every durability mode."""

from __future__ import annotations

import asyncio
import operator
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.messages import AnyMessage, HumanMessage
from langgraph.channels.delta import DeltaChannel
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send, interrupt

import threadkeep
from helpers import config_of, id_of
from threadkeep.langgraph import ThreadkeepSaver

DURABILITIES = ["sync", "async", "exit"]


class Sum(TypedDict):
    total: Annotated[int, operator.add]
    log: Annotated[list[str], operator.add]


def counter(saver: ThreadkeepSaver, steps: int = 3, **compile: Any) -> Any:
    """Nodes in a row, each of which adds one."""
    graph = StateGraph(Sum)
    names = [f"n{number}" for number in range(steps)]
    for name in names:
        graph.add_node(name, lambda state, name=name: {"total": 1, "log": [name]})
    for before, after in zip([START, *names], [*names, END], strict=False):
        graph.add_edge(before, after)
    return graph.compile(checkpointer=saver, **compile)


def fan_out(saver: ThreadkeepSaver, width: int) -> Any:
    graph = StateGraph(Sum)
    graph.add_node("work", lambda number: {"total": number, "log": [str(number)]})
    graph.add_node("end", lambda state: {})
    graph.add_conditional_edges(START, lambda state: [Send("work", n) for n in range(width)])
    graph.add_edge("work", "end")
    return graph.compile(checkpointer=saver)


@pytest.mark.parametrize("durability", DURABILITIES)
def test_turns_add_up(saver: ThreadkeepSaver, thread: str, durability: Any) -> None:
    for turn in range(1, 4):
        agent = counter(ThreadkeepSaver(saver.store))
        result = agent.invoke({"total": 10}, config_of(thread), durability=durability)
        assert result == {"total": 13 * turn, "log": ["n0", "n1", "n2"] * turn}
    history = list(agent.get_state_history(config_of(thread)))
    assert len(history) == (3 if durability == "exit" else 15)
    assert history[0].values["total"] == 39
    assert agent.get_state(config_of(thread)).next == ()


@pytest.mark.parametrize("durability", DURABILITIES)
async def test_turns_add_up_async(saver: ThreadkeepSaver, thread: str, durability: Any) -> None:
    for turn in range(1, 4):
        agent = counter(ThreadkeepSaver(saver.store))
        result = await agent.ainvoke({"total": 10}, config_of(thread), durability=durability)
        assert result == {"total": 13 * turn, "log": ["n0", "n1", "n2"] * turn}
    history = [state async for state in agent.aget_state_history(config_of(thread))]
    assert len(history) == (3 if durability == "exit" else 15)


@pytest.mark.parametrize("durability", DURABILITIES)
def test_fan_out_of_100_tasks(saver: ThreadkeepSaver, thread: str, durability: Any) -> None:
    agent = fan_out(saver, 100)
    result = agent.invoke({"total": 0}, config_of(thread), durability=durability)
    assert result["total"] == sum(range(100))
    assert result["log"] == [str(number) for number in range(100)]


@pytest.mark.parametrize("durability", DURABILITIES)
async def test_fan_out_of_100_tasks_async(
    saver: ThreadkeepSaver, thread: str, durability: Any
) -> None:
    agent = fan_out(saver, 100)
    result = await agent.ainvoke({"total": 0}, config_of(thread), durability=durability)
    assert result["log"] == [str(number) for number in range(100)]
    if durability == "sync":
        states = [state async for state in agent.aget_state_history(config_of(thread))]
        widest = max(states, key=lambda state: len(state.tasks))
        assert len(widest.tasks) == 100 and all(task.result for task in widest.tasks)


# Failures and resumption


@pytest.mark.parametrize("durability", ["sync", "async"])
def test_finished_tasks_are_not_repeated(
    saver: ThreadkeepSaver, thread: str, durability: Any
) -> None:
    runs: list[str] = []
    broken = True

    def fragile(number: int) -> dict[str, Any]:
        runs.append(str(number))
        if number == 7 and broken:
            # All others have finished when this one fails.
            all_others.wait(10)
            raise RuntimeError("number 7")
        if len(runs) >= 10:
            all_others.set()
        return {"total": number, "log": [str(number)]}

    all_others = threading.Event()
    graph = StateGraph(Sum)
    graph.add_node("work", fragile)
    graph.add_conditional_edges(START, lambda state: [Send("work", n) for n in range(10)])
    agent = graph.compile(checkpointer=saver)
    with pytest.raises(RuntimeError, match="number 7"):
        agent.invoke({"total": 0}, config_of(thread), durability=durability)
    failed = agent.get_state(config_of(thread))
    assert [task.name for task in failed.tasks if task.error] == ["work"]
    finished = {write for task in failed.tasks if task.result for write in task.result["log"]}
    assert finished and "7" not in finished
    broken = False
    runs.clear()
    result = agent.invoke(None, config_of(thread), durability=durability)
    assert result["total"] == 45
    assert not finished & set(runs)


@pytest.mark.parametrize("durability", DURABILITIES)
def test_interrupts_with_several_pending_tools(
    saver: ThreadkeepSaver, thread: str, durability: Any
) -> None:
    ran: list[str] = []

    def tool(name: str) -> dict[str, Any]:
        answer = interrupt(f"may I {name}?") if name != "harmless" else "yes"
        ran.append(name)
        return {"log": [f"{name}: {answer}"]}

    graph = StateGraph(Sum)
    graph.add_node("tool", tool)
    graph.add_conditional_edges(
        START, lambda state: [Send("tool", name) for name in ("delete", "harmless", "pay")]
    )
    agent = graph.compile(checkpointer=saver)
    config = config_of(thread)
    agent.invoke({"total": 0}, config, durability=durability)
    assert ran == ["harmless"]
    # One answer at a time, each from a saver that knows nothing.
    for question, answer in (("may I pay?", "no"), ("may I delete?", "go")):
        agent.checkpointer = ThreadkeepSaver(saver.store)
        asked = {each.value: each.id for each in agent.get_state(config).interrupts}
        agent.invoke(Command(resume={asked[question]: answer}), config, durability=durability)
    state = agent.get_state(config)
    assert state.values["log"] == ["delete: go", "harmless: yes", "pay: no"]
    assert state.next == () and ran.count("harmless") == 1


async def test_interrupts_async(saver: ThreadkeepSaver, thread: str) -> None:
    def ask(state: Sum) -> dict[str, Any]:  # Not async: LangGraph needs Python 3.11 for that.
        return {"log": [interrupt("one"), interrupt("two")]}

    graph = StateGraph(Sum)
    graph.add_node("ask", ask)
    graph.add_edge(START, "ask")
    agent = graph.compile(checkpointer=saver)
    config = config_of(thread)
    asked = [(await agent.ainvoke({"total": 0}, config))["__interrupt__"][0].value]
    asked += [(await agent.ainvoke(Command(resume="first"), config))["__interrupt__"][0].value]
    result = await agent.ainvoke(Command(resume="second"), config)
    assert asked == ["one", "two"] and result["log"] == ["first", "second"]


# State


def test_update_state_and_forks(saver: ThreadkeepSaver, thread: str) -> None:
    agent = counter(saver)
    agent.invoke({"total": 0}, config_of(thread))
    history = list(agent.get_state_history(config_of(thread)))
    middle = next(state for state in history if state.next == ("n2",))
    fork = agent.update_state(middle.config, {"total": 100, "log": ["edited"]})
    assert agent.invoke(None, fork) == {"total": 103, "log": ["n0", "n1", "edited", "n2"]}
    # The original branch is as it was.
    assert agent.get_state(history[0].config).values == {"total": 3, "log": ["n0", "n1", "n2"]}
    copied = agent.update_state(middle.config, None, as_node="__copy__")
    assert agent.get_state(copied).values == {"total": 2, "log": ["n0", "n1"]}
    replayed = agent.invoke(None, middle.config)
    assert replayed == {"total": 3, "log": ["n0", "n1", "n2"]}
    sources = {state.metadata["source"] for state in agent.get_state_history(config_of(thread))}
    assert sources == {"input", "loop", "update", "fork"}


async def test_update_state_async(saver: ThreadkeepSaver, thread: str) -> None:
    agent = counter(saver)
    await agent.ainvoke({"total": 0}, config_of(thread))
    await agent.aupdate_state(config_of(thread), {"total": 5}, as_node="n2")
    state = await agent.aget_state(config_of(thread))
    assert state.values["total"] == 8
    assert state.metadata["source"] == "update"


def test_history_filters(saver: ThreadkeepSaver, thread: str) -> None:
    agent = counter(saver)
    for _ in range(2):
        agent.invoke({"total": 0}, config_of(thread))
    inputs = list(agent.get_state_history(config_of(thread), filter={"source": "input"}))
    assert [state.metadata["source"] for state in inputs] == ["input", "input"]
    before = list(agent.get_state_history(config_of(thread), before=inputs[0].config, limit=2))
    assert [id_of(state.config) < id_of(inputs[0].config) for state in before] == [True, True]


@pytest.mark.parametrize("durability", DURABILITIES)
def test_subgraphs(saver: ThreadkeepSaver, thread: str, durability: Any) -> None:
    inner = StateGraph(Sum)
    inner.add_node("ask", lambda state: {"log": [interrupt("inner?")]})
    inner.add_node("after", lambda state: {"total": 5})
    inner.add_edge(START, "ask")
    inner.add_edge("ask", "after")
    outer = StateGraph(Sum)
    outer.add_node("inner", inner.compile())
    outer.add_edge(START, "inner")
    agent = outer.compile(checkpointer=saver)
    config = config_of(thread)
    agent.invoke({"total": 0}, config, durability=durability)
    state = agent.get_state(config, subgraphs=True)
    namespace = state.tasks[0].state.config["configurable"]["checkpoint_ns"]
    assert namespace.startswith("inner:")
    agent.checkpointer = ThreadkeepSaver(saver.store)
    result = agent.invoke(Command(resume="answer"), config, durability=durability)
    assert result == {"total": 5, "log": ["answer"]}
    namespaces = {
        found.config["configurable"]["checkpoint_ns"]
        for found in saver.list({"configurable": {"thread_id": thread}})
    }
    assert namespaces == {"", namespace}


# Delta channels


class Delta(TypedDict):
    log: Annotated[
        list[str],
        DeltaChannel(
            lambda state, writes: state + [item for write in writes for item in write],
            list,
            snapshot_frequency=4,
        ),
    ]


def delta_agent(saver: ThreadkeepSaver) -> Any:
    graph = StateGraph(Delta)
    graph.add_node("a", lambda state: {"log": [f"a{len(state['log'])}"]})
    graph.add_node("b", lambda state: {"log": [f"b{len(state['log'])}"]})
    graph.add_edge(START, "a")
    graph.add_edge("a", "b")
    return graph.compile(checkpointer=saver)


@pytest.mark.parametrize("durability", DURABILITIES)
def test_delta_channels(saver: ThreadkeepSaver, thread: str, durability: Any) -> None:
    expected: list[str] = []
    for turn in range(8):
        agent = delta_agent(ThreadkeepSaver(saver.store))
        result = agent.invoke({"log": [f"t{turn}"]}, config_of(thread), durability=durability)
        expected.append(f"t{turn}")
        expected += [f"a{len(expected)}", f"b{len(expected) + 1}"]
        assert result["log"] == expected
    stored = [found.checkpoint["channel_values"] for found in saver.list(config_of(thread))]
    assert any("log" not in values for values in stored), "the channel is not kept as deltas"
    history = list(agent.get_state_history(config_of(thread)))
    assert all(state.values["log"] == expected[: len(state.values["log"])] for state in history)


async def test_delta_channels_async_forks(saver: ThreadkeepSaver, thread: str) -> None:
    agent = delta_agent(saver)
    for turn in range(3):
        await agent.ainvoke({"log": [f"t{turn}"]}, config_of(thread))
    states = [state async for state in agent.aget_state_history(config_of(thread))]
    middle = next(state for state in states if len(state.values["log"]) == 6 and not state.next)
    forked = await agent.ainvoke({"log": ["fork"]}, middle.config)
    assert forked["log"] == middle.values["log"] + ["fork", "a7", "b8"]
    again = await agent.aget_state(states[0].config)
    assert again.values["log"] == states[0].values["log"]


def test_prune_keeps_what_delta_channels_need(saver: ThreadkeepSaver, thread: str) -> None:
    agent = delta_agent(saver)
    for turn in range(5):
        before = agent.invoke({"log": [f"t{turn}"]}, config_of(thread))["log"]
        saver.prune([thread])
        assert agent.get_state(config_of(thread)).values["log"] == before
    saver.copy_thread(thread, f"{thread}-copy")
    saver.delete_thread(thread)
    assert agent.get_state(config_of(f"{thread}-copy")).values["log"] == before
    assert agent.invoke({"log": []}, config_of(f"{thread}-copy"))["log"][:-2] == before


# Many at the same time


def test_32_threads_on_one_saver(saver: ThreadkeepSaver, thread: str) -> None:
    agent = fan_out(saver, 8)

    def converse(number: int) -> list[int]:
        config = config_of(f"{thread}-{number}")
        return [agent.invoke({"total": number}, config)["total"] for _ in range(3)]

    with ThreadPoolExecutor(32) as pool:
        totals = list(pool.map(converse, range(32)))
    assert totals == [[(number + 28) * turn for turn in (1, 2, 3)] for number in range(32)]


async def test_32_conversations_on_one_saver(saver: ThreadkeepSaver, thread: str) -> None:
    agent = fan_out(saver, 8)

    async def converse(number: int) -> list[int]:
        config = config_of(f"{thread}-{number}")
        return [(await agent.ainvoke({"total": number}, config))["total"] for _ in range(3)]

    totals = await asyncio.gather(*(converse(number) for number in range(32)))
    assert totals == [[(number + 28) * turn for turn in (1, 2, 3)] for number in range(32)]


async def test_blocking_and_async_mixed(saver: ThreadkeepSaver, thread: str) -> None:
    agent = counter(saver)
    await agent.ainvoke({"total": 0}, config_of(thread))
    result = await asyncio.to_thread(agent.invoke, {"total": 0}, config_of(thread))
    assert result["total"] == 6
    assert (await agent.ainvoke({"total": 0}, config_of(thread)))["total"] == 9


# Ends of runs


async def test_a_cancelled_run_can_be_resumed(saver: ThreadkeepSaver, thread: str) -> None:
    started, hang = asyncio.Event(), True

    async def slow(state: Sum) -> dict[str, Any]:
        started.set()
        if hang:
            await asyncio.sleep(60)
        return {"total": 1}

    graph = StateGraph(Sum)
    graph.add_node("first", lambda state: {"total": 10})
    graph.add_node("slow", slow)
    graph.add_edge(START, "first")
    graph.add_edge("first", "slow")
    agent = graph.compile(checkpointer=saver)
    run = asyncio.create_task(agent.ainvoke({"total": 0}, config_of(thread), durability="sync"))
    await started.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert (await agent.aget_state(config_of(thread))).next == ("slow",)
    hang = False
    assert (await agent.ainvoke(None, config_of(thread)))["total"] == 11


def test_a_run_whose_thread_is_deleted_ends(saver: ThreadkeepSaver, thread: str) -> None:
    def delete(state: Sum) -> dict[str, Any]:
        saver.delete_thread(thread)
        return {"total": 1}

    graph = StateGraph(Sum)
    graph.add_node("delete", delete)
    graph.add_node("after", lambda state: {"total": 1})
    graph.add_edge(START, "delete")
    graph.add_edge("delete", "after")
    agent = graph.compile(checkpointer=saver)
    with pytest.raises(threadkeep.ConflictError):
        agent.invoke({"total": 0}, config_of(thread), durability="sync")
    assert list(saver.list({"configurable": {"thread_id": thread}})) == []
    # The thread can begin anew.
    assert counter(saver).invoke({"total": 0}, config_of(thread))["total"] == 3


class Chat(TypedDict):
    messages: Annotated[list[AnyMessage], operator.add]
    user: str
    score: float
    nothing: None


def test_messages_and_primitives(saver: ThreadkeepSaver, thread: str) -> None:
    graph = StateGraph(Chat)
    graph.add_node("n", lambda state: {"messages": [HumanMessage("nul \0 byte", id="2")]})
    graph.add_edge(START, "n")
    agent = graph.compile(checkpointer=saver)
    given = {
        "messages": [HumanMessage("hi", id="1")],
        "user": "nul\0byte",
        "score": float("inf"),
        "nothing": None,
    }
    agent.invoke(given, config_of(thread))
    agent.invoke({"messages": []}, config_of(thread))
    values = agent.get_state(config_of(thread)).values
    assert [message.content for message in values["messages"]] == ["hi", "nul \0 byte"] + [
        "nul \0 byte"
    ]
    assert (values["user"], values["score"]) == ("nul\0byte", float("inf"))
