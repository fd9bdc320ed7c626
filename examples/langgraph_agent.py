# SPDX-License-Identifier: Apache-2.0
"""An agent whose thread lives in a threadkeep store.

It talks, calls tools in parallel, and asks before it books anything. Each command is a process of
its own; all that the agent knows between them is in the store.

    python langgraph_agent.py say "My name is Ada."
    python langgraph_agent.py say "Plan a sail from Brest."    two tools at the same time
    python langgraph_agent.py resume                           goes on after a crash
    python langgraph_agent.py say "Book the boat."             stops and asks
    python langgraph_agent.py answer yes                       approves
    python langgraph_agent.py tree                             shows all checkpoints
    python langgraph_agent.py fork CHECKPOINT "..."            goes back and takes another way

--url is the only thing to change for another store.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from langchain_core.messages import AIMessageChunk, BaseMessage, ToolMessage
from langchain_core.tools import BaseTool, tool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command, Send, StateSnapshot, interrupt

from local_model import LocalChatModel
from threadkeep.langgraph import ThreadkeepSaver


def make_tools(ledger: Path | None, tide_seconds: float) -> list[BaseTool]:
    """The tools. Each writes a line when it begins and when it ends, as a side effect to count."""

    def note(text: str) -> None:
        if ledger is not None:
            with ledger.open("a") as file:
                file.write(f"{text} pid={os.getpid()}\n")

    @tool
    def weather(place: str) -> str:
        """Looks up the weather at a place."""
        note(f"weather {place} begin")
        note(f"weather {place} end")
        return f"Fair wind at {place}."

    @tool
    def tide(place: str) -> str:
        """Measures the tide at a place. Takes its time."""
        note(f"tide {place} begin")
        time.sleep(tide_seconds)
        note(f"tide {place} end")
        return f"High tide at {place} is at noon."

    @tool
    def book(thing: str) -> str:
        """Books something, after a human has approved it."""
        if interrupt({"question": f"Shall I book the {thing}?"}) != "yes":
            return f"I did not book the {thing}."
        note(f"book {thing} end")
        return f"The {thing} is booked."

    return [weather, tide, book]


def build_agent(saver: ThreadkeepSaver, tools: list[BaseTool]) -> Any:
    """A graph of two nodes: the model, and one task of the tool node for every tool call."""
    model = LocalChatModel().bind_tools(tools)
    by_name = {each.name: each for each in tools}

    def think(state: MessagesState) -> dict[str, Any]:
        return {"messages": [model.invoke(state["messages"])]}

    def use_tool(call: dict[str, Any]) -> dict[str, Any]:
        return {"messages": [by_name[call["name"]].invoke({**call, "type": "tool_call"})]}

    def next_tasks(state: MessagesState) -> list[Send]:
        return [Send("use_tool", call) for call in state["messages"][-1].tool_calls]

    graph = StateGraph(MessagesState)
    graph.add_node("think", think)
    graph.add_node("use_tool", use_tool)
    graph.add_edge(START, "think")
    graph.add_conditional_edges("think", next_tasks, ["use_tool"])
    graph.add_edge("use_tool", "think")
    return graph.compile(checkpointer=saver)


def run(agent: Any, given: Any, config: dict[str, Any]) -> None:
    """Runs the agent and prints what it says as it says it."""
    for mode, event in agent.stream(given, config, stream_mode=["messages", "updates"]):
        if mode == "messages":
            print_chunk(event[0])
        elif "__interrupt__" in event:
            print(f"\n  [waits for approval] {event['__interrupt__'][0].value['question']}")
        elif "use_tool" in event:
            for message in event["use_tool"]["messages"]:
                print(f"  [tool {message.name}] {message.content}")
        else:
            print()


def print_chunk(chunk: BaseMessage) -> None:
    if not isinstance(chunk, AIMessageChunk):
        return
    if not chunk.content and not chunk.tool_call_chunks:
        return
    # A bar between the tokens shows that they arrive one by one.
    if chunk.content:
        print(f"|{chunk.content}", end="", flush=True)
    for call in chunk.tool_call_chunks:
        print(f"\n  [calls {call['name']}] {call['args']}", end="", flush=True)


def finished_tasks(saver: ThreadkeepSaver, config: dict[str, Any]) -> list[str]:
    """What the tools of the unfinished super-step have stored already."""
    latest = saver.get_tuple(config)
    writes = latest.pending_writes if latest else []
    return [
        f"task {task_id[:8]} has stored: {message.content}"
        for task_id, channel, messages in writes or []
        if channel == "messages"
        for message in messages
        if isinstance(message, ToolMessage)
    ]


def wait_for_finished_task(saver: ThreadkeepSaver, config: dict[str, Any], seconds: float) -> None:
    """Looks into the store, as an outsider, until a task of the super-step has stored writes."""
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        if finished := finished_tasks(saver, config):
            print("\n".join(finished))
            return
        time.sleep(0.05)
    sys.exit("no task has stored anything")


def describe(snapshot: StateSnapshot) -> str:
    messages = snapshot.values.get("messages", [])
    last = str(messages[-1].content) if messages else "(nothing said yet)"
    then = f"  -> {', '.join(snapshot.next)}" if snapshot.next else ""
    return f"{last if len(last) <= 50 else last[:47] + '...'}{then}"


def tree_lines(snapshots: list[StateSnapshot]) -> Iterator[str]:
    """The checkpoints as a tree, oldest first; a fork is a checkpoint with two children."""
    children: dict[str | None, list[StateSnapshot]] = {}
    for snapshot in reversed(snapshots):
        parent = snapshot.parent_config
        parent_id = parent["configurable"]["checkpoint_id"] if parent else None
        children.setdefault(parent_id, []).append(snapshot)

    def lines(parent: str | None, indent: str) -> Iterator[str]:
        branches = children.get(parent, [])
        for number, snapshot in enumerate(branches):
            own_id = snapshot.config["configurable"]["checkpoint_id"]
            mark, below = "", ""
            if len(branches) > 1:
                is_last = number == len(branches) - 1
                mark, below = ("`-- ", "    ") if is_last else ("|-- ", "|   ")
            yield f"{indent}{mark}{own_id}  {describe(snapshot)}"
            yield from lines(own_id, indent + below)

    yield from lines(None, "")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--url", default="sqlite:agent.db", help="the store")
    parser.add_argument("--thread", default="ada", help="the conversation")
    parser.add_argument("--ledger", type=Path, help="a file that gets a line for every side effect")
    parser.add_argument("--tide-seconds", type=float, default=0.2, help="how long `tide` takes")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("say").add_argument("text")
    commands.add_parser("resume")
    commands.add_parser("answer").add_argument("decision", choices=["yes", "no"])
    commands.add_parser("wait").add_argument("--seconds", type=float, default=60)
    commands.add_parser("tree")
    fork = commands.add_parser("fork")
    fork.add_argument("checkpoint")
    fork.add_argument("text")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    config: dict[str, Any] = {"configurable": {"thread_id": arguments.thread}}
    with ThreadkeepSaver(arguments.url) as saver:
        agent = build_agent(saver, make_tools(arguments.ledger, arguments.tide_seconds))
        if arguments.command == "say":
            run(agent, {"messages": [("user", arguments.text)]}, config)
        elif arguments.command == "resume":
            run(agent, None, config)
        elif arguments.command == "answer":
            run(agent, Command(resume=arguments.decision), config)
        elif arguments.command == "wait":
            wait_for_finished_task(saver, config, arguments.seconds)
        elif arguments.command == "tree":
            print("\n".join(tree_lines(list(agent.get_state_history(config)))))
        else:
            config["configurable"]["checkpoint_id"] = arguments.checkpoint
            run(agent, {"messages": [("user", arguments.text)]}, config)


if __name__ == "__main__":
    main()
