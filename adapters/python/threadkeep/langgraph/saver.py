# SPDX-License-Identifier: Apache-2.0
"""LangGraph's checkpoint saver on a threadkeep store."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Generator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
)
from langgraph.checkpoint.serde.base import SerializerProtocol

from threadkeep import _native
from threadkeep._arguments import (
    checked_limit,
    checked_mapping,
    checked_timeout,
    filter_rows,
    id_text,
    id_texts,
    page_size,
)
from threadkeep._life import Closing
from threadkeep._sweeper import Sweeper
from threadkeep._tracing import span, traced
from threadkeep.errors import InvalidArgumentError
from threadkeep.langgraph import codec
from threadkeep.langgraph.codec import Address
from threadkeep.langgraph.ttl import TtlOptions, only_logged, store_policies
from threadkeep.langgraph.values import SeenBlobs
from threadkeep.retention import Retention
from threadkeep.store import DEFAULT_TIMEOUT, SETUP_TIMEOUT, Store, ThreadInfo, copy_request, opened

if TYPE_CHECKING:
    from langgraph.checkpoint.base import DeltaChannelHistory
    from typing_extensions import Self

T = TypeVar("T")

# How many threads aprune works on at a time: far fewer than the calls that a store lets wait.
_PRUNE_AT_ONCE = 500

# A computation that yields requests and is sent their answers, so that one text serves the
# blocking and the asynchronous methods.
Steps = Generator[_native.Request, Any, T]

# thread, namespace, checkpoint, before, filter
ListQuery = tuple[str | None, str | None, str | None, str | None, Sequence[tuple[str, str]]]


class ThreadkeepSaver(Closing, BaseCheckpointSaver[str]):
    """Stores LangGraph checkpoints in a threadkeep store.

    One object serves blocking and asyncio graphs, from any thread and any event loop at the same
    time. It needs no context manager; used as one, ``with`` or ``async with``, it closes the store
    that it opened. Two savers may share a store.

    Args:
        store: A URL such as ``postgresql://host/database``, ``sqlite:agent.db`` or ``memory:``, or
            an open :class:`threadkeep.Store`, which stays open when the saver is closed.
        serde: Turns channel values and writes into bytes. The default is LangGraph's own. With any
            other, such as an encrypting one, no channel value bypasses it.
        timeout: Seconds after which a call ends with an error; ``None`` waits for ever.
        ttl: How long threads live, such as ``{"default_ttl": 60}``, in minutes; see "Threads that
            expire" in docs/python.md. With it the constructor waits for the store.

    Errors are those of :mod:`threadkeep.errors`.
    """

    def __init__(
        self,
        store: str | Store,
        *,
        serde: SerializerProtocol | None = None,
        timeout: float | None = DEFAULT_TIMEOUT,
        ttl: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(serde=serde)
        self.timeout = checked_timeout(timeout)
        options = None if ttl is None else TtlOptions.read(ttl)
        self._owns_store = isinstance(store, str)
        self.store = opened(store, timeout)
        self._seen = SeenBlobs()
        self._refreshes = options is not None and options.refreshes
        self._sweeper = None if options is None else self._obey(options)

    def _obey(self, options: TtlOptions) -> Sweeper | None:
        try:
            store_policies(Retention(self.store, timeout=self.timeout), options.policies)
        except BaseException:
            self._close_store()
            raise
        if not options.interval:
            return None
        return Sweeper(self.store, options.interval, options.limit)

    @classmethod
    def from_conn_string(
        cls,
        conn_string: str,
        *,
        serde: SerializerProtocol | None = None,
        timeout: float | None = DEFAULT_TIMEOUT,
        ttl: Mapping[str, Any] | None = None,
    ) -> Self:
        """Opens a store by URL, in the form of LangGraph's other savers.

        The result works with ``with`` and with ``async with``.
        """
        return cls(conn_string, serde=serde, timeout=timeout, ttl=ttl)

    # Life

    def setup(self, *, timeout: float | None = SETUP_TIMEOUT) -> None:
        """Makes and brings up to date all that the store needs; see :meth:`threadkeep.Store.setup`.

        Only a Postgres database that an older version of LangGraph's saver made needs this before
        use. Idempotent.
        """
        self.store.setup(timeout=timeout)

    async def asetup(self, *, timeout: float | None = SETUP_TIMEOUT) -> None:
        """As :meth:`setup`."""
        await self.store.asetup(timeout=timeout)

    def close(self) -> None:
        """Closes the store if the saver opened it. Copies of the saver are closed with it."""
        if self._sweeper is not None:
            self._sweeper.close()
        self._close_store()

    def _close_store(self) -> None:
        if self._owns_store:
            self.store.close()

    def __copy__(self) -> Self:
        clone = type(self).__new__(type(self))
        clone.__dict__.update(self.__dict__)
        return clone

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a ThreadkeepSaver cannot be pickled; make one from the URL in the other process"
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.store.url!r})"

    # Steps: what the blocking and the asynchronous methods have in common

    def _run(self, steps: Steps[T]) -> T:
        try:
            request = next(steps)
            while True:
                request = steps.send(self.store.call(request, self.timeout))
        except StopIteration as done:
            result: T = done.value
            return result

    async def _arun(self, steps: Steps[T]) -> T:
        try:
            request = next(steps)
            while True:
                request = steps.send(await self.store.acall(request, self.timeout))
        except StopIteration as done:
            result: T = done.value
            return result

    def _decoded(self, row: _native.CheckpointRow) -> Steps[CheckpointTuple]:
        checkpoint = codec.parsed_document(self.serde, row)
        parent = codec.parent_with_sends(row, checkpoint)
        result = codec.checkpoint_tuple(self.serde, self._seen, row, checkpoint)
        if parent is not None:
            parent_row = yield _native.get(*parent, values=False)
            sends = codec.sends_of(self.serde, parent_row)
            codec.add_sends(checkpoint, sends, self.get_next_version(None, None))
        return result

    def _get_steps(self, config: RunnableConfig) -> Steps[CheckpointTuple | None]:
        row = yield _native.get(*Address.of(config))
        if row is None:
            return None
        return (yield from self._decoded(row))

    def _page_steps(
        self, query: ListQuery, limit: int, cursor: str
    ) -> Steps[tuple[Sequence[CheckpointTuple], str]]:
        rows, next_cursor = yield _native.list(*query, True, True, limit, cursor)
        tuples = []
        for row in rows:
            tuples.append((yield from self._decoded(row)))
        return tuples, next_cursor

    def _history_steps(
        self, config: RunnableConfig, channels: Sequence[str]
    ) -> Steps[Mapping[str, DeltaChannelHistory]]:
        names = id_texts(channels, "channels")
        rows = yield _native.history(*Address.of(config), names)
        return codec.channel_histories(self.serde, rows)

    def _put_steps(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> Steps[RunnableConfig]:
        new = codec.new_checkpoint(
            self.serde, self._seen, config, checkpoint, metadata, new_versions
        )
        yield new.request
        if new.primitives:
            self._seen.add(new.primitives)
        return new.config

    # Reading

    @traced("get_tuple")
    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Returns the checkpoint that the config names, or the latest one of its namespace.

        ``None`` when there is none. An empty ``checkpoint_id`` means the latest. With
        ``refresh_on_read`` the thread counts as active.
        """
        found = self._run(self._get_steps(config))
        if found is not None and self._refreshes:
            with only_logged():
                self.store.call(_refresh_request(config), self.timeout)
        return found

    @traced("get_tuple")
    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """As :meth:`get_tuple`."""
        found = await self._arun(self._get_steps(config))
        if found is not None and self._refreshes:
            with only_logged():
                await self.store.acall(_refresh_request(config), self.timeout)
        return found

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """Lists checkpoints, newest first, fetched page by page as they are asked for.

        Args:
            config: Its thread, namespace and checkpoint id narrow the list; a namespace that is
                absent means all of them. ``None`` lists all threads.
            filter: Members that the metadata must have, compared by value. A member that is
                absent never matches, not even ``None``.
            before: Only checkpoints with a smaller id than this config's; ignored when it has no
                ``checkpoint_id``.
            limit: The most checkpoints to list; ``None`` lists all, 0 none.
        """
        query, left, cursor = _list_query(config, filter, before), checked_limit(limit), ""
        return self._iterate(query, left, cursor)

    def _iterate(
        self, query: ListQuery, left: int | None, cursor: str
    ) -> Iterator[CheckpointTuple]:
        while left is None or left > 0:
            with span(self.store, "list", query[0]):
                page, cursor = self._run(self._page_steps(query, page_size(left), cursor))
            yield from page
            if not cursor:
                return
            left = None if left is None else left - len(page)

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """As :meth:`list`."""
        query, left, cursor = _list_query(config, filter, before), checked_limit(limit), ""
        while left is None or left > 0:
            with span(self.store, "list", query[0]):
                page, cursor = await self._arun(self._page_steps(query, page_size(left), cursor))
            for item in page:
                yield item
            if not cursor:
                return
            left = None if left is None else left - len(page)

    @traced("get_delta_channel_history")
    def get_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """Returns what rebuilds delta channels at a checkpoint, from its ancestors.

        For each channel: the value at the nearest ancestor that has one, as ``seed``, and the
        writes on that ancestor and after it, oldest first.
        """
        return self._run(self._history_steps(config, channels)) if channels else {}

    @traced("get_delta_channel_history")
    async def aget_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """As :meth:`get_delta_channel_history`."""
        return await self._arun(self._history_steps(config, channels)) if channels else {}

    # Writing

    @traced("put")
    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Stores a checkpoint and returns the config that names it.

        The config's ``checkpoint_id`` is the parent. Only values of channels in ``new_versions``
        are new; those of other channels are found by their version.

        Raises:
            ConflictError: The parent was deleted.
        """
        return self._run(self._put_steps(config, checkpoint, metadata, new_versions))

    @traced("put")
    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """As :meth:`put`."""
        return await self._arun(self._put_steps(config, checkpoint, metadata, new_versions))

    @traced("put_writes")
    def put_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Stores what a task wrote, for the checkpoint that the config names.

        The first write of a position stays; errors, interrupts and resume values are replaced.
        The checkpoint may be stored later. Writes for one that was deleted are dropped.
        """
        request = codec.new_writes(self.serde, config, writes, task_id, task_path)
        self.store.call(request, self.timeout)

    @traced("put_writes")
    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """As :meth:`put_writes`."""
        request = codec.new_writes(self.serde, config, writes, task_id, task_path)
        await self.store.acall(request, self.timeout)

    # Threads

    def threads(
        self, *, filter: Mapping[str, Any] | None = None, limit: int | None = None
    ) -> Iterator[ThreadInfo]:
        """Lists threads by id, without their checkpoints; see :meth:`threadkeep.Store.threads`."""
        return self.store.threads(filter=filter, limit=limit)

    def athreads(
        self, *, filter: Mapping[str, Any] | None = None, limit: int | None = None
    ) -> AsyncIterator[ThreadInfo]:
        """As :meth:`threads`."""
        return self.store.athreads(filter=filter, limit=limit)

    @traced("delete_thread")
    def delete_thread(self, thread_id: str) -> None:
        """Deletes everything of a thread. A run that is still under way cannot bring it back."""
        thread_id = id_text(thread_id, "thread_id")
        self.store.call(_native.delete_thread(thread_id), self.timeout)
        self._seen.forget(thread_id)

    @traced("delete_thread")
    async def adelete_thread(self, thread_id: str) -> None:
        """As :meth:`delete_thread`."""
        thread_id = id_text(thread_id, "thread_id")
        await self.store.acall(_native.delete_thread(thread_id), self.timeout)
        self._seen.forget(thread_id)

    @traced("delete_for_runs")
    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Deletes the checkpoints of runs, in all threads.

        Raises:
            ConflictError: A delta channel of a checkpoint that stays needs one of them. Nothing is
                deleted.
        """
        if ids := id_texts(run_ids, "run_ids"):
            self.store.call(_native.delete_runs(ids), self.timeout)
            self._seen.clear()

    @traced("delete_for_runs")
    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        """As :meth:`delete_for_runs`."""
        if ids := id_texts(run_ids, "run_ids"):
            await self.store.acall(_native.delete_runs(ids), self.timeout)
            self._seen.clear()

    @traced("copy_thread")
    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copies a thread with all its checkpoints under another id; checkpoint ids are kept.

        Raises:
            ConflictError: The target holds checkpoints that the source lacks.
        """
        request = copy_request(source_thread_id, target_thread_id)
        self.store.call(request, self.timeout)

    @traced("copy_thread")
    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """As :meth:`copy_thread`."""
        request = copy_request(source_thread_id, target_thread_id)
        await self.store.acall(request, self.timeout)

    @traced("prune")
    def prune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Deletes old checkpoints of threads, each thread atomically by itself.

        Args:
            thread_ids: The threads.
            strategy: ``"keep_latest"`` keeps the latest checkpoint of every namespace and the
                ancestors that its delta channels are rebuilt from; ``"delete"`` keeps nothing.

        All threads are tried; then the first error is raised.
        """
        errors: list[Exception] = []
        for thread_id, request in _prune_requests(thread_ids, strategy):
            try:
                self.store.call(request, self.timeout)
                self._seen.forget(thread_id)
            except Exception as error:
                errors.append(error)
        if errors:
            raise errors[0]

    @traced("prune")
    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """As :meth:`prune`."""
        requests = _prune_requests(thread_ids, strategy)
        errors: list[BaseException] = []
        for begin in range(0, len(requests), _PRUNE_AT_ONCE):
            part = requests[begin : begin + _PRUNE_AT_ONCE]
            calls = [self.store.acall(request, self.timeout) for _, request in part]
            results = await asyncio.gather(*calls, return_exceptions=True)
            for (thread_id, _), result in zip(part, results, strict=True):
                if isinstance(result, BaseException):
                    errors.append(result)
                else:
                    self._seen.forget(thread_id)
        if errors:
            raise errors[0]

    def get_next_version(self, current: str | None, channel: None) -> str:
        """Returns a version above ``current`` that no other writer makes.

        A padded number, so that text order is number order, and a random part: two branches of a
        thread that count on from the same version get different blobs.
        """
        number = 0 if current is None else int(str(current).split(".")[0])
        return f"{number + 1:032}.{random.random():016}"


def _refresh_request(config: RunnableConfig) -> _native.Request:
    return _native.refresh_threads([Address.of(config).thread_id])


def _list_query(
    config: RunnableConfig | None,
    filter: Mapping[str, Any] | None,
    before: RunnableConfig | None,
) -> ListQuery:
    """The part of a listing that selects rows."""
    thread_id = checkpoint_ns = checkpoint_id = None
    if config is not None:
        thread_id, _, checkpoint_id = Address.of(config)
        # Absent means all namespaces here, and "" the root only.
        checkpoint_ns = config["configurable"].get("checkpoint_ns")
    before_id = None
    if before is not None:
        named = checked_mapping(before, "before").get("configurable") or {}
        before_id = checked_mapping(named, "before['configurable']").get("checkpoint_id")
    return thread_id, checkpoint_ns, checkpoint_id, before_id or None, filter_rows(filter)


def _prune_requests(thread_ids: Sequence[str], strategy: str) -> list[tuple[str, _native.Request]]:
    makers = {"keep_latest": _native.prune, "delete": _native.delete_thread}
    if not isinstance(strategy, str) or strategy not in makers:
        raise InvalidArgumentError(f"strategy must be 'keep_latest' or 'delete', not {strategy!r}")
    maker = makers[strategy]
    return [(thread_id, maker(thread_id)) for thread_id in id_texts(thread_ids, "thread_ids")]
