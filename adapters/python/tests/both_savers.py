# SPDX-License-Identifier: Apache-2.0
"""LangGraph's own Postgres saver and this one, on the same tables."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import psycopg
from langgraph.checkpoint.base import BaseCheckpointSaver, CheckpointTuple
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.serde.base import SerializerProtocol
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.types import Send
from psycopg.rows import dict_row

from postgres_server import PostgresServer
from threadkeep.langgraph import ThreadkeepSaver

OURS = "threadkeep"
THEIRS = "langgraph"
BOTH = (OURS, THEIRS)
Kind = str


class SharedTables:
    """A schema that both savers use. Each saver is a new one, with connections of its own."""

    def __init__(self, server: PostgresServer, database: str, schema: str) -> None:
        self.ours = server.threadkeep_url(database, schema)
        self.theirs = server.langgraph_url(database, schema)

    @contextmanager
    def saver(self, kind: Kind, serde: SerializerProtocol | None = None) -> Iterator[Any]:
        if kind == OURS:
            with ThreadkeepSaver(self.ours, serde=serde) as ours:
                yield ours
        else:
            with self.connect() as connection:
                yield PostgresSaver(connection, serde=serde)

    @asynccontextmanager
    async def async_saver(
        self, kind: Kind, serde: SerializerProtocol | None = None
    ) -> AsyncIterator[Any]:
        if kind == OURS:
            async with ThreadkeepSaver(self.ours, serde=serde) as ours:
                yield ours
        else:
            async with await psycopg.AsyncConnection.connect(
                self.theirs, autocommit=True, prepare_threshold=0, row_factory=dict_row
            ) as connection:
                yield AsyncPostgresSaver(connection, serde=serde)

    def connect(self) -> psycopg.Connection[dict[str, Any]]:
        return psycopg.connect(
            self.theirs, autocommit=True, prepare_threshold=0, row_factory=dict_row
        )

    def execute(self, query: str, *parameters: Any) -> list[dict[str, Any]]:
        """Runs a statement on the tables, past both savers."""
        with self.connect() as connection:
            cursor = connection.execute(query, parameters)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []


def old_rows(tables: SharedTables, thread: str) -> None:
    """A thread that stands before a fan-out, as savers before the checkpoint format 4 stored it."""
    parent, child = (f"1ef4f797-8335-6428-800{n}-8a1503f9b875" for n in (1, 2))
    version = f"{2:032}.0.5"
    document = """
        {"v": 1, "id": "%s", "ts": "2024-07-31T20:14:19.804150+00:00", "pending_sends": [],
         "channel_versions": {"total": "%s", "log": "%s", "gone": "%s"},
         "versions_seen": {"__input__": {}}, "current_tasks": {}}"""
    for own, before in ((parent, None), (child, parent)):
        tables.execute(
            "INSERT INTO checkpoints (thread_id, checkpoint_ns, checkpoint_id,"
            " parent_checkpoint_id, checkpoint, metadata)"
            " VALUES (%s, '', %s, %s, %s::jsonb, %s::jsonb)",
            *(thread, own, before, document % (own, version, version, version), '{"step": 1}'),
        )
    dumps = JsonPlusSerializer().dumps_typed
    for channel, value in (("total", 7), ("log", ["old"])):
        tables.execute(
            "INSERT INTO checkpoint_blobs VALUES (%s, '', %s, %s, %s, %s)",
            *(thread, channel, version, *dumps(value)),
        )
    tables.execute(
        "INSERT INTO checkpoint_blobs VALUES (%s, '', 'gone', %s, 'empty', NULL)", thread, version
    )
    for number in (3, 1, 2):
        tables.execute(
            "INSERT INTO checkpoint_writes (thread_id, checkpoint_ns, checkpoint_id, task_id, idx,"
            " channel, type, blob) VALUES (%s, '', %s, %s, 0, '__pregel_tasks', %s, %s)",
            *(thread, parent, f"task-{number}", *dumps(Send("work", number))),
        )


Build = Callable[[BaseCheckpointSaver[Any]], Any]
# an object, the name of its method, positional and named arguments
Call = tuple[Any, str, tuple[Any, ...], dict[str, Any]]


class Relay:
    """An agent that two savers serve in turns: each call is made with the other one, a new one.

    After each call both savers must see the same.
    """

    def __init__(
        self,
        tables: SharedTables,
        build: Build,
        first: Kind,
        mode: str,
        serde: Callable[[], SerializerProtocol] = lambda: None,  # type: ignore[assignment,return-value]
    ) -> None:
        self.tables = tables
        self._build = build
        self._kinds = itertools.cycle(BOTH if first == OURS else reversed(BOTH))
        self._mode = mode
        self._serde = serde

    def invoke(self, given: Any, config: Any, **more: Any) -> Any:
        return self._next("invoke", given, config, **more)

    def update_state(self, config: Any, values: Any, **more: Any) -> Any:
        return self._next("update_state", config, values, **more)

    def call(self, kind: Kind, method: str, *args: Any, **more: Any) -> Any:
        """One call with one saver, a new one; an iterator becomes a list."""
        return self._with_saver(kind, lambda saver: [(self._build(saver), method, args, more)])[0]

    def both_see_the_same(self, thread: str) -> list[CheckpointTuple]:
        """Everything of a thread, as rows and as states of the agent. Returns the rows."""
        ours, theirs = (self._view(kind, thread) for kind in BOTH)
        for our, their in zip(ours, theirs, strict=True):
            assert our == their
        rows: list[CheckpointTuple] = ours[0]
        assert rows
        return rows

    def _next(self, method: str, *args: Any, **more: Any) -> Any:
        config = next(each for each in args if isinstance(each, dict) and "configurable" in each)
        try:
            return self.call(next(self._kinds), method, *args, **more)
        finally:
            self.both_see_the_same(config["configurable"]["thread_id"])

    def _view(self, kind: Kind, thread: str) -> list[Any]:
        everything = ({"configurable": {"thread_id": thread}},)
        latest = ({"configurable": {"thread_id": thread, "checkpoint_ns": ""}},)

        def calls(saver: Any) -> list[Call]:
            agent = self._build(saver)
            return [
                (saver, "list", everything, {}),
                (saver, "get_tuple", latest, {}),
                (agent, "get_state", latest, {}),
                (agent, "get_state_history", latest, {}),
            ]

        return self._with_saver(kind, calls)

    def _with_saver(self, kind: Kind, calls: Callable[[Any], list[Call]]) -> list[Any]:
        if self._mode == "async":
            return asyncio.run(self._with_async_saver(kind, calls))
        with self.tables.saver(kind, self._serde()) as saver:
            results = [getattr(on, name)(*args, **more) for on, name, args, more in calls(saver)]
            return [list(each) if isinstance(each, Iterator) else each for each in results]

    async def _with_async_saver(self, kind: Kind, calls: Callable[[Any], list[Call]]) -> list[Any]:
        async with self.tables.async_saver(kind, self._serde()) as saver:
            results = []
            for on, name, args, more in calls(saver):
                result = getattr(on, f"a{name}")(*args, **more)
                listed = isinstance(result, AsyncIterator)
                results.append([each async for each in result] if listed else await result)
            return results
