# SPDX-License-Identifier: Apache-2.0
"""An agent that runs with every version of LangGraph and of its Postgres saver.

As a program: ``upstream_agent.py URL THREAD ACTION`` with LangGraph's own saver. Prints what it
sees as JSON. It stops before the tasks of a fan-out, and once more before the node that joins them.
"""

from __future__ import annotations

import json
import operator
import sys
from typing import Annotated, Any, Optional, TypedDict

try:
    from langgraph.types import Send
except ImportError:  # Versions before 0.2.
    from langgraph.constants import Send  # type: ignore[no-redef,attr-defined]

from langgraph.graph import END, START, StateGraph

GIVEN: dict[str, Any] = {
    "name": "Ada",
    "essay": "long \u00e9 " * 200,
    "answer": 42,
    "ratio": 0.5,
    "flag": True,
    "nothing": None,
    "total": 1,
    "log": ["given"],
}


class State(TypedDict, total=False):
    name: str
    essay: str
    answer: int
    ratio: float
    flag: bool
    # Old versions read these annotations on Python versions that have no `X | None`.
    nothing: Optional[str]  # noqa: UP045
    total: Annotated[int, operator.add]
    log: Annotated[list[str], operator.add]


def build(saver: Any) -> Any:
    graph = StateGraph(State)
    graph.add_node("plan", lambda state: {"total": 10, "log": ["plan"]})
    graph.add_node("work", lambda number: {"total": number, "log": [f"work {number}"]})
    graph.add_node("join", lambda state: {"total": 1000, "log": ["join"]})
    graph.add_edge(START, "plan")
    graph.add_conditional_edges(
        "plan", lambda state: [Send("work", number) for number in (100, 200, 300)], ["work"]
    )
    graph.add_edge("work", "join")
    graph.add_edge("join", END)
    return graph.compile(checkpointer=saver, interrupt_before=["work", "join"])


def act(agent: Any, thread: str, action: str) -> dict[str, Any]:
    """Starts a turn, goes on with one, or only looks."""
    config = {"configurable": {"thread_id": thread}}
    if action == "start":
        agent.invoke(GIVEN, config)
    elif action == "again":
        agent.invoke({"total": 1, "log": ["again"]}, config)
    elif action == "resume":
        agent.invoke(None, config)
    state = agent.get_state(config)
    history = list(agent.get_state_history(config))
    return {
        "values": state.values,
        "next": list(state.next),
        "metadata": {key: state.metadata.get(key) for key in ("source", "step")},
        "history": [[old.values.get("total"), list(old.next)] for old in history],
    }


def main(url: str, thread: str, action: str) -> None:
    from langgraph.checkpoint.postgres import PostgresSaver

    if not hasattr(PostgresSaver, "setup"):
        raise SystemExit("no setup")
    with PostgresSaver.from_conn_string(url) as saver:
        saver.setup()
        print(json.dumps(act(build(saver), thread, action)))


if __name__ == "__main__":
    main(*sys.argv[1:])
