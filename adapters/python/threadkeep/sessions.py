# SPDX-License-Identifier: Apache-2.0
"""Messages and state of threads."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn, TypeVar

from threadkeep import _native
from threadkeep._arguments import (
    checked_limit,
    checked_mapping,
    checked_timeout,
    exact_json,
    id_text,
    id_texts,
)
from threadkeep._life import Closing
from threadkeep._operations import (
    Listing,
    Operation,
    Page,
    aiterating,
    asynchronous,
    blocking,
    iterating,
)
from threadkeep.errors import CorruptError, InvalidArgumentError
from threadkeep.filters import Filter
from threadkeep.session_types import (
    Message,
    NewMessage,
    Popped,
    Receipt,
    StateChange,
    StateDocument,
    StateScope,
    Written,
)
from threadkeep.store import DEFAULT_TIMEOUT, Store, ThreadInfo, opened, thread_info, time_of

T = TypeVar("T")
_MAX_BYTES = 32 * 1024 * 1024


# What is asked


def _metadata(value: Any, field: str) -> str:
    return exact_json(dict(checked_mapping(value, field)), field)


def _items(values: Iterable[T], kind: type[T], field: str) -> list[T]:
    if isinstance(values, Iterable):
        items = list(values)
        if all(isinstance(item, kind) for item in items):
            return items
    raise InvalidArgumentError(f"{field} must be a sequence of {kind.__name__}")


def _message_rows(messages: Iterable[NewMessage]) -> list[_native.NewMessageRow]:
    return [
        (
            message.id,
            message.role,
            exact_json(message.content, f"messages[{index}].content"),
            _metadata(message.metadata, f"messages[{index}].metadata"),
        )
        for index, message in enumerate(_items(messages, NewMessage, "messages"))
    ]


def _change_rows(changes: Iterable[StateChange], field: str) -> list[_native.ChangeRow]:
    return [
        (
            change.kind,
            change.key,
            exact_json(change.value, f"state '{change.key}'"),
            change.expected_version,
        )
        for change in _items(changes, StateChange, field)
    ]


def _scope(scope: StateScope) -> tuple[str, str]:
    if isinstance(scope, StateScope):
        return scope.thread_id, scope.name
    raise InvalidArgumentError(f"scope must be a StateScope, not {type(scope).__name__}")


def _filter(filter: Filter | None) -> Filter | None:
    if filter is None or isinstance(filter, Filter):
        return filter
    raise InvalidArgumentError(
        f"filter must be made by threadkeep.filters, not a {type(filter).__name__}"
    )


# What is answered


def _loads(text: str, what: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CorruptError(f"{what} cannot be read: {error}") from error


def _message(row: _native.MessageRow) -> Message:
    stream, seq, id, role, content, metadata, created_at, version = row
    return Message(
        stream=stream,
        seq=seq,
        id=id,
        role=role,
        content=_loads(content, f"content of message '{id}'"),
        metadata=_loads(metadata, f"metadata of message '{id}'"),
        created_at=time_of(created_at),
        version=version,
    )


def _receipt(row: _native.MessageRow) -> Receipt:
    stream, seq, id, _, _, _, created_at, version = row
    return Receipt(stream, seq, id, time_of(created_at), version)


def _document(row: _native.DocumentRow) -> StateDocument:
    key, value, version = row
    return StateDocument(key, _loads(value, f"state '{key}'"), version)


def _written(row: _native.WrittenRow) -> Written:
    changed, kept, dropped, messages, versions, revision = row
    receipts = [_receipt(message) for message in messages]
    return Written(changed, kept, dropped, revision, receipts, list(versions))


def _popped(row: _native.WrittenRow) -> Popped:
    return Popped([_message(message) for message in row[3]], revision=row[5])


def _optional(read: Callable[[Any], T]) -> Callable[[Any], T | None]:
    return lambda row: None if row is None else read(row)


def _page_of(read: Callable[[Any], T]) -> Callable[[Any], Page[T]]:
    return lambda row: Page([read(item) for item in row[0]], next=row[1])


def _messages(rows: Sequence[_native.MessageRow]) -> list[Message]:
    return [_message(row) for row in rows]


def _change_state(scope: StateScope, changes: Iterable[StateChange]) -> Operation[Written]:
    rows = _change_rows(changes, "changes")
    return Operation(_native.change_state(_scope(scope), rows), _written)


class SessionStore(Closing):
    """Messages and state of threads.

    Any thread and any event loop may use one object at the same time; methods that begin with
    ``a`` are the asyncio form of those without. It needs no context manager; used as one, ``with``
    or ``async with``, it closes the store that it opened. A process that was forked after the store
    was opened must open its own.

    Content, metadata and state are JSON as Python values. What JSON would not give back equal to
    what it was (NaN, infinities, lone surrogates, tuples, keys that are no str) is refused with its
    path, as is the character NUL, which is removed from metadata instead. Ints may have any size
    that a float has.

    Args:
        store: A URL such as ``sqlite:chat.db``, or an open :class:`threadkeep.Store`, such as that
            of a saver, which stays open when this object is closed.
        timeout: Seconds after which a call ends with an error; ``None`` waits for ever. Two objects
            with different timeouts may share a store.

    Errors are those of :mod:`threadkeep.errors`: :class:`~threadkeep.InvalidArgumentError` for what
    can never work, :class:`~threadkeep.UnsupportedError` on a store that keeps no messages (see
    :class:`threadkeep.Capabilities`). Absent threads, messages and documents are no errors.
    """

    def __init__(self, store: str | Store, *, timeout: float | None = DEFAULT_TIMEOUT) -> None:
        self.timeout = checked_timeout(timeout)
        self._owns_store = isinstance(store, str)
        self.store = opened(store, timeout)

    def close(self) -> None:
        """Closes the store if this object opened it."""
        if self._owns_store:
            self.store.close()

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a SessionStore cannot be pickled; make one from the URL where it is needed"
        )

    def __repr__(self) -> str:
        return f"SessionStore({self.store.url!r})"

    # Messages: writes

    @blocking
    def append(
        self,
        thread_id: str,
        messages: Iterable[NewMessage],
        *,
        stream: str = "",
        state: Iterable[StateChange] = (),
        operation_id: str = "",
        expected_revision: int | None = None,
    ) -> Operation[Written]:
        """Appends messages to a stream, all or none, and changes the thread's state with them.

        A message whose id the thread has already is kept when it is equal. When all are kept the
        append was carried out before, and nothing changes, state included.

        Args:
            thread_id: The thread; it is created if it is new.
            messages: 1 to 1,000 messages.
            stream: The stream of the thread.
            state: Changes of documents of the thread; a conflict of one fails the append.
            operation_id: Names the append within the thread. A second one with the same name
                changes nothing and returns what the first did. Remembered for at least 1,000
                revisions of the thread.
            expected_revision: Demand that the thread be at this revision; 0 is a new thread.

        Raises:
            ConflictError: An id or ``operation_id`` was used for something else, a document has
                another version or the thread another revision than expected. Nothing is stored.
        """
        rows = _message_rows(messages)
        changes = _change_rows(state, "state")
        thread_id = id_text(thread_id, "thread_id")
        request = _native.append_messages(
            thread_id, stream, rows, changes, operation_id, expected_revision
        )
        return Operation(request, _written)

    aappend = asynchronous(append)

    @blocking
    def update(
        self,
        thread_id: str,
        id: str,
        *,
        content: Any = ...,
        metadata: Any = None,
        expected_version: int | None = None,
    ) -> Operation[Written]:
        """Replaces parts of a message; its version grows by one. Equal parts change nothing.

        Args:
            thread_id: The thread.
            id: The message, in whichever stream; an absent one counts as ``dropped``.
            content: The new content; left out, it stays. ``None`` is JSON's null.
            metadata: The new metadata, a dict; left out, it stays.
            expected_version: Demand that the message have this version.

        Raises:
            ConflictError: It has another version, or is absent and a version was expected.
        """
        request = _native.update_message(
            id_text(thread_id, "thread_id"),
            id,
            None if content is ... else exact_json(content, "content"),
            None if metadata is None else _metadata(metadata, "metadata"),
            expected_version,
        )
        return Operation(request, _written)

    aupdate = asynchronous(update)

    @blocking
    def remove(self, thread_id: str, ids: Iterable[str]) -> Operation[Written]:
        """Removes messages by their ids, at most 1,000. Absent ones are no error."""
        request = _native.remove_messages(id_text(thread_id, "thread_id"), id_texts(ids, "ids"))
        return Operation(request, _written)

    aremove = asynchronous(remove)

    @blocking
    def pop(
        self, thread_id: str, count: int = 1, *, stream: str = "", operation_id: str = ""
    ) -> Operation[Popped]:
        """Takes the newest messages of a stream away. No two pops get one message.

        Args:
            thread_id: The thread.
            count: How many, at most 1,000. Fewer come when the stream has fewer, and when they
                weigh more than 32 MiB together.
            stream: The stream of the thread.
            operation_id: Names the pop, so that it can be sent again after an error or a
                cancellation: a second one with this name returns what the first did.
        """
        request = _native.pop_messages(id_text(thread_id, "thread_id"), stream, count, operation_id)
        return Operation(request, _popped)

    apop = asynchronous(pop)

    @blocking
    def clear(self, thread_id: str, *, stream: str | None = None) -> Operation[Written]:
        """Removes all messages of a stream; ``None``: of all streams of the thread."""
        request = _native.clear_messages(id_text(thread_id, "thread_id"), stream)
        return Operation(request, _written)

    aclear = asynchronous(clear)

    # Messages: reads

    @iterating
    def messages(
        self,
        thread_id: str,
        *,
        stream: str = "",
        newest_first: bool = False,
        after: int = 0,
        filter: Filter | None = None,
        limit: int | None = None,
    ) -> Listing[Message]:
        """Lists the messages of a stream; fetches page by page while it is read.

        Messages may come and go meanwhile: each that is there all the time is listed once.

        Args:
            thread_id: The thread; an absent one has no messages.
            stream: The stream of the thread.
            newest_first: By ``seq`` descending, not ascending.
            after: Only messages with a greater ``seq``, in both directions.
            filter: What they must fulfil; see :mod:`threadkeep.filters`.
            limit: The most messages to list; ``None`` lists all.
        """

        def page(size: int, cursor: str) -> Operation[Page[Message]]:
            request = _native.messages(
                thread, stream, newest_first, after, checked, size, _MAX_BYTES, cursor
            )
            return Operation(request, _page_of(_message))

        thread, checked = id_text(thread_id, "thread_id"), _filter(filter)
        return Listing(page, checked_limit(limit))

    amessages = aiterating(messages)

    @blocking
    def message_page(
        self,
        thread_id: str,
        *,
        stream: str = "",
        newest_first: bool = False,
        after: int = 0,
        filter: Filter | None = None,
        limit: int = 100,
        max_bytes: int = _MAX_BYTES,
        cursor: str = "",
    ) -> Operation[Page[Message]]:
        """One page of :meth:`messages`, for those who hand the cursor on.

        Args:
            thread_id: As in :meth:`messages`, with all of the following up to ``filter``.
            stream: As there.
            newest_first: As there.
            after: As there.
            filter: As there.
            limit: The most messages of the page.
            max_bytes: The page ends early above this, after one message.
            cursor: ``next`` of the page before; ``""`` is the first page.

        Raises:
            InvalidArgumentError: The cursor is damaged, or of another stream, direction or filter.
        """
        request = _native.messages(
            id_text(thread_id, "thread_id"),
            stream,
            newest_first,
            after,
            _filter(filter),
            limit,
            max_bytes,
            cursor,
        )
        return Operation(request, _page_of(_message))

    amessage_page = asynchronous(message_page)

    @blocking
    def tail(
        self, thread_id: str, count: int = 100, *, stream: str = "", filter: Filter | None = None
    ) -> Operation[list[Message]]:
        """The newest messages of a stream, oldest of them first, in one list."""
        request = _native.tail_messages(
            id_text(thread_id, "thread_id"), stream, count, _filter(filter)
        )
        return Operation(request, _messages)

    atail = asynchronous(tail)

    @blocking
    def message(self, thread_id: str, id: str) -> Operation[Message | None]:
        """A message by its id, in whichever stream it is."""
        request = _native.message(id_text(thread_id, "thread_id"), id)
        return Operation(request, _optional(_message))

    amessage = asynchronous(message)

    @blocking
    def count(
        self, thread_id: str, *, stream: str = "", after: int = 0, filter: Filter | None = None
    ) -> Operation[int]:
        """How many messages :meth:`messages` would list."""
        request = _native.count_messages(
            id_text(thread_id, "thread_id"), stream, after, _filter(filter)
        )
        return Operation(request, int)

    acount = asynchronous(count)

    # State

    @blocking
    def put_state(
        self, scope: StateScope, key: str, value: Any, *, expected_version: int | None = None
    ) -> Operation[Written]:
        """Sets a document, a JSON value; see :meth:`StateChange.put`.

        Args:
            scope: Whose state it is.
            key: The document; at most 512 bytes.
            value: Any JSON value.
            expected_version: Demand that the document have this version, 0 for absent: compare and
                set.

        Raises:
            ConflictError: The document has another version.
        """
        return _change_state(
            scope, [StateChange.put(key, value, expected_version=expected_version)]
        )

    aput_state = asynchronous(put_state)

    @blocking
    def merge_state(
        self, scope: StateScope, key: str, patch: Any, *, expected_version: int | None = None
    ) -> Operation[Written]:
        """Merges a patch into a document (RFC 7396): ``None`` in it removes a member.

        Args and errors are those of :meth:`put_state`.
        """
        return _change_state(
            scope, [StateChange.merge(key, patch, expected_version=expected_version)]
        )

    amerge_state = asynchronous(merge_state)

    @blocking
    def delete_state(
        self, scope: StateScope, key: str, *, expected_version: int | None = None
    ) -> Operation[Written]:
        """Deletes a document; an absent one is no error.

        Raises:
            ConflictError: The document has another version than expected.
        """
        return _change_state(scope, [StateChange.erase(key, expected_version=expected_version)])

    adelete_state = asynchronous(delete_state)

    @blocking
    def change_state(self, scope: StateScope, changes: Iterable[StateChange]) -> Operation[Written]:
        """Changes several documents of one scope, all or none.

        Raises:
            ConflictError: One of them has another version than expected. Nothing is changed.
        """
        return _change_state(scope, changes)

    achange_state = asynchronous(change_state)

    @blocking
    def state(self, scope: StateScope, key: str) -> Operation[StateDocument | None]:
        """A document, or ``None`` when it is absent."""
        return Operation(_native.state(_scope(scope), key), _optional(_document))

    astate = asynchronous(state)

    @iterating
    def states(self, scope: StateScope, *, limit: int | None = None) -> Listing[StateDocument]:
        """Lists the documents of a scope by key; fetches page by page while it is read."""

        def page(size: int, cursor: str) -> Operation[Page[StateDocument]]:
            return Operation(_native.states(row, size, _MAX_BYTES, cursor), _page_of(_document))

        row = _scope(scope)
        return Listing(page, checked_limit(limit))

    astates = aiterating(states)

    @blocking
    def state_page(
        self,
        scope: StateScope,
        *,
        limit: int = 100,
        max_bytes: int = _MAX_BYTES,
        cursor: str = "",
    ) -> Operation[Page[StateDocument]]:
        """One page of :meth:`states`; see :meth:`message_page`."""
        request = _native.states(_scope(scope), limit, max_bytes, cursor)
        return Operation(request, _page_of(_document))

    astate_page = asynchronous(state_page)

    # Threads

    @blocking
    def thread(self, thread_id: str) -> Operation[ThreadInfo | None]:
        """The thread with its revision; ``None`` when there is none."""
        request = _native.thread(id_text(thread_id, "thread_id"))
        return Operation(request, _optional(thread_info))

    athread = asynchronous(thread)
