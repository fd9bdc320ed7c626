# SPDX-License-Identifier: Apache-2.0
"""Stores, opened by URL."""

from __future__ import annotations

import atexit
import json
import threading
import weakref
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, NoReturn

from threadkeep import _asyncio, _logging, _native
from threadkeep._arguments import (
    checked_limit,
    checked_mapping,
    checked_timeout,
    filter_rows,
    has_lone_surrogate,
    id_text,
    json_text,
    page_size,
)
from threadkeep._forks import runs_in_child
from threadkeep._life import Closing
from threadkeep.errors import Error, InvalidArgumentError

DEFAULT_TIMEOUT = 30.0
SETUP_TIMEOUT = 3600.0
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Capabilities:
    """What a backend can do.

    Attributes:
        name: The backend, such as ``"sqlite"``.
        durable: Whether the data survives the process.
        blocking: Whether calls wait for a disk or a network.
        max_value_bytes: The greatest value that one channel, write, content or document may have.
        sessions: Whether it keeps messages and state, for :class:`threadkeep.SessionStore`.
    """

    name: str
    durable: bool
    blocking: bool
    max_value_bytes: int
    sessions: bool


@dataclass(frozen=True)
class Health:
    """The answer of :meth:`Store.ping`. ``detail`` says what is wrong when not ``ok``.

    ``degraded``: it works, but not from where it should: the breaker is open, or the fallback has
    taken over. Some calls may fail, or be carried out later.
    """

    ok: bool
    detail: str
    degraded: bool = False


@dataclass(frozen=True)
class ThreadInfo:
    """A thread without its checkpoints.

    Attributes:
        thread_id: Its id.
        created_at: When it was first stored, to the minute; ``None`` when another program stored it
            and left no time.
        updated_at: When a checkpoint, message, state or metadata was last stored, to the minute;
            ``None`` when that is not known.
        revision: Counts the writes that changed its messages, state or metadata.
        metadata: What :meth:`Store.put_thread` stored.
    """

    thread_id: str
    created_at: datetime | None
    updated_at: datetime | None
    revision: int
    metadata: dict[str, Any]


_open_stores: weakref.WeakSet[_native.Store] = weakref.WeakSet()
_ending = False
_lock = threading.Lock()  # of both


@atexit.register
def _close_stores() -> None:
    # Calls in flight end here, while the interpreter still works. A forked child leaves the
    # stores of its parent alone: closing them is an error there. A daemon thread that opened one
    # later would be in the middle of a call when the interpreter is gone.
    global _ending
    with _lock:
        _ending = True
        stores = list(_open_stores)
    for store in stores:
        try:
            store.close()
        except Error:
            pass
    _native.stores_end()


@runs_in_child
def _begin_anew() -> None:
    global _lock
    _lock = threading.Lock()
    _native.stores_begin_anew()


def _open(url: str) -> _native.Store:
    with _lock:
        if _ending:
            raise InvalidArgumentError("the interpreter ends; no store can be opened any more")
        store = _native.Store(url)
        _open_stores.add(store)
        return store


def time_of(microseconds: int) -> datetime | None:
    """A time of the store, which has 0 for what is not known."""
    return _EPOCH + timedelta(microseconds=microseconds) if microseconds else None


def thread_info(row: _native.ThreadRow) -> ThreadInfo:
    thread_id, created, updated, revision, metadata = row
    return ThreadInfo(
        thread_id=thread_id,
        created_at=time_of(created),
        updated_at=time_of(updated),
        revision=revision,
        metadata=json.loads(metadata),
    )


def _put_thread(thread_id: str, metadata: Mapping[str, Any]) -> _native.Request:
    text = json_text(dict(checked_mapping(metadata, "metadata")), "metadata")
    return _native.put_thread(id_text(thread_id, "thread_id"), text)


def copy_request(source_thread_id: str, target_thread_id: str) -> _native.Request:
    return _native.copy_thread(
        id_text(source_thread_id, "source_thread_id"),
        id_text(target_thread_id, "target_thread_id"),
    )


def _checked_url(url: Any) -> str:
    if not isinstance(url, str):
        raise InvalidArgumentError(
            f"url must be a str such as 'sqlite:agent.db', not {type(url).__name__}"
        )
    if has_lone_surrogate(url):
        raise InvalidArgumentError("url holds a lone surrogate, no Unicode text; remove it")
    return url


class Store(Closing):
    """An open store.

    Any thread and any event loop may use one object at the same time; methods that begin with
    ``a`` are the asyncio form of those without. It needs no context manager: connections are made
    on first use, and the store is closed when the interpreter exits or the last reference goes.
    A store cannot be pickled, and a forked process must open its own.

    Args:
        url: ``memory:``, ``sqlite:PATH``, ``postgresql://...``, or another scheme of this build.
        timeout: Seconds after which a call ends with an error; ``None`` waits for ever.
    """

    def __init__(self, url: str, *, timeout: float | None = DEFAULT_TIMEOUT) -> None:
        self.timeout = checked_timeout(timeout)
        self.url = _native.redacted(_checked_url(url))
        """The URL with its secrets hidden."""
        _logging.start()
        self._native = _open(url)
        self.capabilities = Capabilities(**self._native.capabilities())

    def setup(self, *, timeout: float | None = SETUP_TIMEOUT) -> None:
        """Makes and brings up to date all that the store needs. Idempotent.

        First use creates what is missing and touches nothing else. On Postgres this does more: it
        upgrades tables that LangGraph's own saver made long ago, and builds indexes, without
        blocking those who use them. When it was cut off, the next call goes on where it stopped.

        Args:
            timeout: As that of the store, which does not count here: an index over a large table
                takes its time.
        """
        self.call(_native.setup(), checked_timeout(timeout))

    async def asetup(self, *, timeout: float | None = SETUP_TIMEOUT) -> None:
        """As :meth:`setup`."""
        await self.acall(_native.setup(), checked_timeout(timeout))

    def ping(self) -> Health:
        """Asks the store whether it works. Reports an outage and does not raise for it."""
        return Health(*self.call(_native.ping(), self.timeout))

    async def aping(self) -> Health:
        """As :meth:`ping`."""
        return Health(*await self.acall(_native.ping(), self.timeout))

    def threads(
        self, *, filter: Mapping[str, Any] | None = None, limit: int | None = None
    ) -> Iterator[ThreadInfo]:
        """Lists threads by id, without loading checkpoints.

        Args:
            filter: Members that the thread's own metadata must have, compared by value.
            limit: The most threads to list; ``None`` lists all.
        """
        return self._iterate(filter_rows(filter), checked_limit(limit))

    def _iterate(self, rows: list[tuple[str, str]], left: int | None) -> Iterator[ThreadInfo]:
        cursor = ""
        while left is None or left > 0:
            request = _native.threads(rows, page_size(left), cursor)
            page, cursor = self.call(request, self.timeout)
            yield from map(thread_info, page)
            if not cursor:
                return
            left = None if left is None else left - len(page)

    def athreads(
        self, *, filter: Mapping[str, Any] | None = None, limit: int | None = None
    ) -> AsyncIterator[ThreadInfo]:
        """As :meth:`threads`."""
        return self._aiterate(filter_rows(filter), checked_limit(limit))

    async def _aiterate(
        self, rows: list[tuple[str, str]], left: int | None
    ) -> AsyncIterator[ThreadInfo]:
        cursor = ""
        while left is None or left > 0:
            request = _native.threads(rows, page_size(left), cursor)
            page, cursor = await self.acall(request, self.timeout)
            for row in page:
                yield thread_info(row)
            if not cursor:
                return
            left = None if left is None else left - len(page)

    def put_thread(self, thread_id: str, metadata: Mapping[str, Any]) -> None:
        """Sets a thread's own metadata, a JSON object, and creates the thread if it is new."""
        self.call(_put_thread(thread_id, metadata), self.timeout)

    async def aput_thread(self, thread_id: str, metadata: Mapping[str, Any]) -> None:
        """As :meth:`put_thread`."""
        await self.acall(_put_thread(thread_id, metadata), self.timeout)

    def delete_thread(self, thread_id: str) -> None:
        """Deletes everything of a thread: checkpoints, messages, state and metadata.

        A saver on this store has a method of this name that also forgets what it has seen.
        """
        self.call(_native.delete_thread(id_text(thread_id, "thread_id")), self.timeout)

    async def adelete_thread(self, thread_id: str) -> None:
        """As :meth:`delete_thread`."""
        await self.acall(_native.delete_thread(id_text(thread_id, "thread_id")), self.timeout)

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copies everything of a thread under another id; ids, seqs and versions are kept.

        Raises:
            ConflictError: The target holds checkpoints or messages that the source lacks.
        """
        self.call(copy_request(source_thread_id, target_thread_id), self.timeout)

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """As :meth:`copy_thread`."""
        await self.acall(copy_request(source_thread_id, target_thread_id), self.timeout)

    def call(
        self,
        request: _native.Request,
        timeout: float | None,
        pending: _native.PendingCall | None = None,
    ) -> Any:
        """Makes a request of the native module and waits for its answer.

        Another thread may cancel it through ``pending``.
        """
        return self._native.call(request, timeout, pending)

    async def acall(self, request: _native.Request, timeout: float | None) -> Any:
        """Makes a request without blocking the event loop. Calls of one thread keep their order.

        A store that never waits is called directly: a detour over another thread costs more.
        """
        if not self.capabilities.blocking:
            return self._native.call(request, timeout)
        return await _asyncio.call(self._native, request, timeout)

    def close(self) -> None:
        """Ends the calls in flight and closes the store; later calls fail. Idempotent."""
        self._native.close()

    def __reduce__(self) -> NoReturn:
        raise TypeError("a store cannot be pickled or copied; open it by URL where it is needed")

    def __repr__(self) -> str:
        return f"Store({self.url!r})"


def open(url: str, *, timeout: float | None = DEFAULT_TIMEOUT) -> Store:
    """Opens a store by URL; see :class:`Store`."""
    return Store(url, timeout=timeout)


def opened(store: str | Store, timeout: float | None) -> Store:
    """The store that was handed in, or the one that a URL names."""
    if isinstance(store, str):
        return Store(store, timeout=timeout)
    if isinstance(store, Store):
        return store
    raise InvalidArgumentError(
        "store must be a URL such as 'sqlite:agent.db' or a threadkeep.Store, "
        f"not {type(store).__name__}"
    )
