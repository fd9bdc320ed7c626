# SPDX-License-Identifier: Apache-2.0
"""What a session store keeps: messages and state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal


@dataclass(frozen=True)
class NewMessage:
    """A message that is to be appended.

    Attributes:
        role: Whose it is, such as ``"user"``; any text of 512 bytes at most.
        content: Any JSON value. It comes back equal to what it is, or is refused.
        metadata: A JSON object that filters can look at. NUL is removed from its text.
        id: Unique in the thread, over all streams; ``""``: the store makes one.
    """

    role: str
    content: Any
    metadata: Mapping[str, Any] = field(default_factory=dict)
    id: str = ""


@dataclass(frozen=True)
class Message:
    """A message of a stream of a thread.

    Attributes:
        stream: The name of the stream; ``""`` is the default one.
        seq: 1, 2, 3 ... in each stream, assigned when the message is stored and never again in the
            life of the thread.
        id: Unique in the thread, over all streams.
        role: Whose it is.
        content: A JSON value.
        metadata: A JSON object.
        created_at: When it was stored. Order is by ``seq``, not by time.
        version: 1 when stored, one more with each update.
    """

    stream: str
    seq: int
    id: str
    role: str
    content: Any
    metadata: dict[str, Any]
    created_at: datetime | None
    version: int


@dataclass(frozen=True)
class Receipt:
    """Where a message was stored: a :class:`Message` without what was given."""

    stream: str
    seq: int
    id: str
    created_at: datetime | None
    version: int


@dataclass(frozen=True)
class Written:
    """What a write did.

    Attributes:
        changed: How many messages and documents were stored, replaced or deleted.
        kept: How many were there already, equal.
        dropped: How many were not stored because their message is absent.
        revision: Of the thread after the write; 0 for the state of a name.
        messages: The messages appended, kept or updated, in the order given.
        versions: The version of each document that was to change, in the order given; 0: absent.
    """

    changed: int
    kept: int
    dropped: int
    revision: int
    messages: list[Receipt]
    versions: list[int]


@dataclass(frozen=True)
class Popped:
    """The messages that a pop took away, oldest first, and the revision of the thread after it."""

    messages: list[Message]
    revision: int


@dataclass(frozen=True)
class StateScope:
    """Whose state it is: that of a thread goes with it, that of a name stays until it is deleted.

    Made by :meth:`of_thread` and :meth:`named`.
    """

    thread_id: str = ""
    name: str = ""

    @classmethod
    def of_thread(cls, thread_id: str) -> StateScope:
        """The state of a thread."""
        return cls(thread_id=thread_id)

    @classmethod
    def named(cls, name: str) -> StateScope:
        """The state of a name of yours, such as ``"user:7"``."""
        return cls(name=name)


@dataclass(frozen=True)
class StateDocument:
    """A small JSON document.

    Attributes:
        key: Its key in the scope.
        value: Any JSON value.
        version: 1 when stored, one more with each change. A deleted one begins again at 1.
    """

    key: str
    value: Any
    version: int


@dataclass(frozen=True)
class StateChange:
    """One change of a document; made by :meth:`put`, :meth:`merge` and :meth:`erase`.

    ``expected_version`` demands that the document have this version, 0 for absent, else
    :class:`~threadkeep.ConflictError`. The change that made the next version succeeds again, so it
    may be repeated. Two callers who make the same change of the same version are therefore taken
    for one: where both must count, as in a counter, let the value name its writer.
    """

    kind: Literal["put", "merge", "erase"]
    key: str
    value: Any = None
    expected_version: int | None = None

    @classmethod
    def put(cls, key: str, value: Any, *, expected_version: int | None = None) -> StateChange:
        """Sets a document. A value equal to the stored one, as 1.0 is to 1, changes nothing."""
        return cls("put", key, value, expected_version)

    @classmethod
    def merge(cls, key: str, patch: Any, *, expected_version: int | None = None) -> StateChange:
        """Merges a patch into a document (RFC 7396): ``None`` in it removes a member."""
        return cls("merge", key, patch, expected_version)

    @classmethod
    def erase(cls, key: str, *, expected_version: int | None = None) -> StateChange:
        """Deletes a document."""
        return cls("erase", key, None, expected_version)
