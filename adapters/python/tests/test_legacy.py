# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of format versions below 4, in which the parent's writes hold the pending sends."""

from __future__ import annotations

import json
import operator
from base64 import b64encode
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.graph import START, StateGraph
from langgraph.types import Send

import threadkeep
from helpers import config_of
from threadkeep import _native
from threadkeep.langgraph import ThreadkeepSaver

PARENT = "1ef4f797-8335-6428-8001-8a1503f9b875"
CHILD = "1ef4f797-8335-6428-8002-8a1503f9b875"
VERSION = "00000000000000000000000000000003.0.243798848838515"


def old_document(checkpoint_id: str, **more: Any) -> str:
    """A checkpoint as a saver of LangGraph 0.2 wrote it."""
    document = {
        "v": 1,
        "id": checkpoint_id,
        "ts": "2024-07-31T20:14:19.804150+00:00",
        "channel_values": {},
        "channel_versions": {"start:node": VERSION, "__start__": VERSION[:31] + "2.0.5"},
        "versions_seen": {"__input__": {}, "node": {"start:node": VERSION}},
        "pending_sends": [],
        "current_tasks": {},
    }
    return json.dumps(document | more)


@pytest.fixture
def old_thread(store: threadkeep.Store, thread: str) -> str:
    serde = JsonPlusSerializer()

    def rows(*sends: Send) -> list[Any]:
        return [(n, "__pregel_tasks", *serde.dumps_typed(send)) for n, send in enumerate(sends)]

    for request in (
        _native.put(thread, "", PARENT, None, old_document(PARENT), "{}", []),
        _native.put(thread, "", CHILD, PARENT, old_document(CHILD), '{"step":1}', []),
        _native.put_writes(thread, "", PARENT, "task-1", "~b", rows(Send("n", 3), Send("n", 4))),
        _native.put_writes(thread, "", PARENT, "task-2", "~a", rows(Send("n", 2))),
        _native.put_writes(thread, "", PARENT, "task-3", "", rows(Send("n", 1))),
        _native.put_writes(
            thread, "", PARENT, "task-2", "~a", [(7, "other", *serde.dumps_typed("no send"))]
        ),
    ):
        store.call(request, 30)
    return thread


SENDS = [Send("n", 1), Send("n", 2), Send("n", 3), Send("n", 4)]


async def test_pending_sends_become_a_channel(store: threadkeep.Store, old_thread: str) -> None:
    saver = ThreadkeepSaver(store)
    for found in (
        saver.get_tuple(config_of(old_thread)),
        await saver.aget_tuple(config_of(old_thread, CHILD)),
        next(saver.list(config_of(old_thread))),
        await anext(saver.alist(config_of(old_thread))),
    ):
        assert found is not None and found.config == config_of(old_thread, CHILD)
        assert found.checkpoint["channel_values"]["__pregel_tasks"] == SENDS
        assert found.checkpoint["channel_versions"]["__pregel_tasks"] == VERSION
        assert found.pending_writes == []


def test_the_root_has_no_sends(store: threadkeep.Store, old_thread: str) -> None:
    found = ThreadkeepSaver(store).get_tuple(config_of(old_thread, PARENT))
    assert found is not None and found.checkpoint["channel_values"] == {}
    assert found.pending_writes is not None and len(found.pending_writes) == 5


def test_sends_without_any_version(store: threadkeep.Store, old_thread: str) -> None:
    other = CHILD[:-1] + "6"
    document = old_document(other, channel_versions={})
    store.call(_native.put(old_thread, "", other, PARENT, document, "{}", []), 30)
    found = ThreadkeepSaver(store).get_tuple(config_of(old_thread, other))
    assert found is not None and found.checkpoint["channel_values"]["__pregel_tasks"] == SENDS
    assert found.checkpoint["channel_versions"]["__pregel_tasks"].startswith(f"{1:032}.")


def test_format_4_has_its_own_channel(store: threadkeep.Store, old_thread: str) -> None:
    other = CHILD[:-1] + "7"
    document = old_document(other, v=4)
    store.call(_native.put(old_thread, "", other, PARENT, document, "{}", []), 30)
    found = ThreadkeepSaver(store).get_tuple(config_of(old_thread, other))
    assert found is not None and found.checkpoint["channel_values"] == {}


def test_a_lost_parent_is_no_error(store: threadkeep.Store, thread: str) -> None:
    store.call(_native.put(thread, "", CHILD, PARENT, old_document(CHILD), "{}", []), 30)
    found = ThreadkeepSaver(store).get_tuple(config_of(thread))
    assert found is not None and found.parent_config == config_of(thread, PARENT)
    assert "__pregel_tasks" not in found.checkpoint["channel_values"]


def agent_with_sends(saver: ThreadkeepSaver) -> Any:
    graph = StateGraph(State)
    graph.add_node("n", lambda number: {"seen": [number]})
    graph.add_node("start", lambda state: {})
    graph.add_edge(START, "start")
    return graph.compile(checkpointer=saver)


class State(TypedDict):
    seen: Annotated[list[int], operator.add]


async def test_a_graph_goes_on_with_them(store: threadkeep.Store, old_thread: str) -> None:
    """The sends of an old checkpoint run when its thread is continued."""
    agent = agent_with_sends(ThreadkeepSaver(store))
    result = agent.invoke(None, config_of(old_thread))
    assert sorted(result["seen"]) == [1, 2, 3, 4]


async def test_sends_that_are_packed_into_the_document(
    store: threadkeep.Store, thread: str
) -> None:
    """So wrote LangGraph's Postgres saver before 1.0.5; later versions lose them."""
    type_tag, data = JsonPlusSerializer().dumps_typed(SENDS)
    document = old_document(CHILD, pending_sends=[type_tag, b64encode(data).decode()])
    store.call(_native.put(thread, "", CHILD, None, document, '{"step":1}', []), 30)
    saver = ThreadkeepSaver(store)
    for found in (saver.get_tuple(config_of(thread)), await anext(saver.alist(config_of(thread)))):
        assert found is not None and found.checkpoint["pending_sends"] == SENDS
    result = agent_with_sends(saver).invoke(None, config_of(thread))
    assert sorted(result["seen"]) == [1, 2, 3, 4]
