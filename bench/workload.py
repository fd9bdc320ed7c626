# SPDX-License-Identifier: Apache-2.0
"""What the savers are asked to do.

A thread has 8 channels, of which 2 change in each step. Values are dicts that hold text made of
words, of the size that is stated, so that a database compresses them as it would real text. A task
writes 2 values of 1 KiB.

An operation is a generator of calls that is sent their answers, so that one text serves blocking
and asynchronous savers.
"""

from __future__ import annotations

import itertools
import random
import uuid
from collections.abc import Generator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.base.id import uuid6
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

from threadkeep import NewMessage, SessionStore

CHANNELS = [f"channel{i}" for i in range(8)]
CHANGED = 2
WRITE_BYTES = 1024
PAGE = 10
# What LangGraph writes today. For older ones savers look for pending sends, at each reading.
CHECKPOINT_FORMAT = 4
AGENT_STEPS = 10


@dataclass(frozen=True)
class Size:
    """Bytes of a value, items of the threads that are read, writes of a fan-out."""

    payload: int
    listed: int = 100
    fan_out: int = 100


class Call(NamedTuple):
    """A method of an object; its asynchronous form has the same name after an `a`."""

    target: Any
    name: str
    arguments: tuple[Any, ...]
    keywords: dict[str, Any] = {}


# A list of calls is made at once, and answered when all are done.
Steps = Generator[Call | list[Call], Any, None]


@lru_cache
def texts(size: int) -> list[str]:
    """Some texts of a size: as long as they are, each word is one of a few thousand."""
    chance = random.Random(size)
    letters = "etaoinshrdlucmfwygpbvk"
    words = ["".join(chance.choices(letters, k=chance.randint(2, 9))) for _ in range(4000)]
    count = 16 if size < 1 << 20 else 4
    return [" ".join(chance.choices(words, k=size // 3 + 1))[:size] for _ in range(count)]


def values(size: int) -> itertools.cycle[dict[str, str]]:
    """Values that take turns, so that no channel is put twice with the same."""
    return itertools.cycle({"role": "user", "content": text} for text in texts(size))


class Conversation:
    """A thread as its agent sees it: the latest checkpoint, and what the next one changes."""

    def __init__(self, saver: Any, thread_id: str, size: int) -> None:
        self.saver = saver
        self.config: dict[str, Any] = {
            "configurable": {"thread_id": thread_id, "checkpoint_ns": ""}
        }
        self.state: dict[str, Any] = {}
        self._versions: dict[str, str] = {}
        self._values = values(size)
        self._step = 0

    def put(self) -> Steps:
        first = self._step * CHANGED % len(CHANNELS)
        names = CHANNELS if self._step == 0 else CHANNELS[first : first + CHANGED]
        yield from self.put_values({name: next(self._values) for name in names})

    def put_values(self, changes: dict[str, Any]) -> Steps:
        self._step += 1
        new = dict.fromkeys(changes, f"{self._step:032}.{random.random():.16f}")
        self.state = {**self.state, **changes}
        self._versions = {**self._versions, **new}
        checkpoint = empty_checkpoint()
        checkpoint["v"] = CHECKPOINT_FORMAT
        checkpoint["id"] = str(uuid6(clock_seq=self._step))
        checkpoint["channel_values"] = self.state
        checkpoint["channel_versions"] = dict(self._versions)
        metadata = {"source": "loop", "step": self._step, "parents": {}}
        self.config = yield Call(self.saver, "put", (self.config, checkpoint, metadata, new))

    def writes(self) -> Call:
        data = values(WRITE_BYTES)
        pairs = [(name, next(data)) for name in CHANNELS[:2]]
        return Call(self.saver, "put_writes", (self.config, pairs, str(uuid.uuid4())))


class Worker:
    """One of those that work at the same time."""

    #: How many threads the workers of a reading operation share; 0: each worker has its own.
    shared = 0

    def __init__(self, saver: Any, size: Size, number: int) -> None:
        self.saver = saver
        self.size = size
        self.number = number

    def thread_id(self) -> str:
        if self.shared == 0:
            return str(uuid.uuid4())
        return f"{type(self).__name__}-{self.size.payload}-{self.number % self.shared}"

    def prepare(self) -> Steps:
        """What must be there before the first operation."""
        yield from ()

    def operate(self) -> Steps:
        """One operation, the thing that is measured."""
        raise NotImplementedError


class Put(Worker):
    def __init__(self, saver: Any, size: Size, number: int) -> None:
        super().__init__(saver, size, number)
        self.conversation = Conversation(saver, self.thread_id(), size.payload)

    def operate(self) -> Steps:
        yield from self.conversation.put()


class PutWrites(Put):
    def prepare(self) -> Steps:
        yield from self.conversation.put()

    def operate(self) -> Steps:
        yield self.conversation.writes()


class FanOut(PutWrites):
    def operate(self) -> Steps:
        yield [self.conversation.writes() for _ in range(self.size.fan_out)]


class GetLatest(Put):
    shared = 4

    def prepare(self) -> Steps:
        for _ in range(2):
            yield from self.conversation.put()
        yield self.conversation.writes()

    def operate(self) -> Steps:
        config = {"configurable": {"thread_id": self.thread_id()}}
        found = yield Call(self.saver, "get_tuple", (config,))
        values = found.checkpoint["channel_values"].values()
        assert len(found.pending_writes) == 2
        assert [len(value["content"]) for value in values] == [self.size.payload] * len(CHANNELS)


class List(Put):
    shared = 1

    def prepare(self) -> Steps:
        for _ in range(self.size.listed):
            yield from self.conversation.put()

    def operate(self) -> Steps:
        config = {"configurable": {"thread_id": self.thread_id(), "checkpoint_ns": ""}}
        found = yield Call(self.saver, "list", (config,), {"limit": PAGE})
        assert [len(item.checkpoint["channel_values"]) for item in found] == [len(CHANNELS)] * PAGE


class AgentRun(Worker):
    def __init__(self, saver: Any, size: Size, number: int) -> None:
        super().__init__(saver, size, number)
        self._graph = agent(saver, size.payload)

    def operate(self) -> Steps:
        config = {"configurable": {"thread_id": self.thread_id()}, "recursion_limit": 50}
        start = {"step": 0, **dict.fromkeys(CHANNELS, {"role": "user", "content": ""})}
        state = yield Call(self._graph, "invoke", (start, config))
        assert state["step"] == AGENT_STEPS


def agent(saver: Any, size: int) -> Any:
    """A graph of one node that runs ten times and changes two channels each time."""
    data = values(size)

    def work(state: dict[str, Any]) -> dict[str, Any]:
        first = state["step"] * CHANGED % len(CHANNELS)
        changes = {name: next(data) for name in CHANNELS[first : first + CHANGED]}
        return {"step": state["step"] + 1, **changes}

    schema = TypedDict("State", {"step": int, **dict.fromkeys(CHANNELS, dict)})  # type: ignore
    graph = StateGraph(schema)
    graph.add_node("work", work)
    graph.add_edge(START, "work")
    graph.add_conditional_edges(
        "work", lambda state: "work" if state["step"] < AGENT_STEPS else "__end__"
    )
    return graph.compile(checkpointer=saver)


class Append(Worker):
    """One message of a thread, by the store below threadkeep's saver."""

    def __init__(self, saver: Any, size: Size, number: int) -> None:
        super().__init__(saver, size, number)
        self.sessions = SessionStore(saver.store)
        self.thread = self.thread_id()
        self._contents = itertools.cycle(texts(size.payload))

    def operate(self) -> Steps:
        message = NewMessage("user", next(self._contents))
        yield Call(self.sessions, "append", (self.thread, [message]))


class Tail(Append):
    shared = 4

    def prepare(self) -> Steps:
        messages = [NewMessage("user", next(self._contents)) for _ in range(self.size.listed)]
        yield Call(self.sessions, "append", (self.thread, messages))

    def operate(self) -> Steps:
        found = yield Call(self.sessions, "tail", (self.thread, PAGE))
        assert len(found) == PAGE


OPERATIONS: dict[str, type[Worker]] = {
    "put": Put,
    "put_writes": PutWrites,
    "get": GetLatest,
    "list": List,
    "fan-out": FanOut,
    "agent run": AgentRun,
    "append": Append,
    "tail": Tail,
}
# Those that only threadkeep has.
SESSIONS = {"append", "tail"}
