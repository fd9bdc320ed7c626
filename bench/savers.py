# SPDX-License-Identifier: Apache-2.0
"""The savers that are compared, each opened as its own documentation says.

LangGraph's savers for Postgres and SQLite hold a lock around each call, so that their pool or
connection serves one call at a time. That is what their users get too.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from typing import Any

import redis
import redis.asyncio
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph_checkpoint_plainredis import AsyncRedisSaver, RedisSaver
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool, ConnectionPool

from servers import Place
from threadkeep.langgraph import ThreadkeepSaver

POOL = 16
_PSYCOPG = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}


@dataclass(frozen=True)
class Contestant:
    """A saver: how a place is opened for blocking calls, and for asyncio."""

    name: str
    backend: str
    blocking: Callable[[Place], Any]
    asynchronous: Callable[[Place], Any]

    @property
    def is_threadkeep(self) -> bool:
        return self.name == "threadkeep"


def _threadkeep(backend: str, url: Callable[[Place], str]) -> Contestant:
    def opened(place: Place) -> ThreadkeepSaver:
        saver = ThreadkeepSaver(url(place))
        saver.setup()
        return saver

    return Contestant("threadkeep", backend, opened, opened)


@contextmanager
def _postgres(place: Place) -> Iterator[PostgresSaver]:
    url = place.langgraph_postgres()
    with ConnectionPool(url, min_size=1, max_size=POOL, kwargs=_PSYCOPG) as pool:
        saver = PostgresSaver(pool)  # type: ignore[arg-type]
        saver.setup()
        yield saver


@asynccontextmanager
async def _async_postgres(place: Place) -> AsyncIterator[AsyncPostgresSaver]:
    url = place.langgraph_postgres()
    async with AsyncConnectionPool(url, min_size=1, max_size=POOL, kwargs=_PSYCOPG) as pool:
        saver = AsyncPostgresSaver(pool)  # type: ignore[arg-type]
        await saver.setup()
        yield saver


@contextmanager
def _sqlite(place: Place) -> Iterator[SqliteSaver]:
    with closing(sqlite3.connect(place.file, check_same_thread=False)) as connection:
        connection.execute("PRAGMA synchronous = FULL")
        saver = SqliteSaver(connection)
        saver.setup()
        yield saver


@asynccontextmanager
async def _async_sqlite(place: Place) -> AsyncIterator[AsyncSqliteSaver]:
    async with AsyncSqliteSaver.from_conn_string(str(place.file)) as saver:
        await saver.conn.execute("PRAGMA synchronous = FULL")
        await saver.setup()
        yield saver


@contextmanager
def _redis(place: Place) -> Iterator[RedisSaver]:
    pool = redis.BlockingConnectionPool(
        max_connections=POOL,
        connection_class=redis.UnixDomainSocketConnection,
        **place.redis_options(),
    )
    with closing(redis.Redis(connection_pool=pool)) as client:
        yield RedisSaver(client)
    pool.disconnect()


@asynccontextmanager
async def _async_redis(place: Place) -> AsyncIterator[AsyncRedisSaver]:
    pool = redis.asyncio.BlockingConnectionPool(
        max_connections=POOL,
        connection_class=redis.asyncio.UnixDomainSocketConnection,
        **place.redis_options(),
    )
    yield AsyncRedisSaver(redis.asyncio.Redis(connection_pool=pool))
    await pool.disconnect()


@contextmanager
def _memory(_: Place) -> Iterator[InMemorySaver]:
    yield InMemorySaver()


@asynccontextmanager
async def _async_memory(_: Place) -> AsyncIterator[InMemorySaver]:
    yield InMemorySaver()


CONTESTANTS = [
    _threadkeep("postgres", lambda place: f"{place.threadkeep_postgres()}&pool_size={POOL}"),
    Contestant("langgraph-checkpoint-postgres", "postgres", _postgres, _async_postgres),
    _threadkeep("sqlite", lambda place: f"sqlite:{place.file}?synchronous=full"),
    Contestant("langgraph-checkpoint-sqlite", "sqlite", _sqlite, _async_sqlite),
    _threadkeep("redis", lambda place: f"{place.threadkeep_redis()}&pool_size={POOL}"),
    Contestant("langgraph-checkpoint-plainredis", "redis", _redis, _async_redis),
    _threadkeep("memory", lambda _: "memory:"),
    Contestant("InMemorySaver", "memory", _memory, _async_memory),
]
