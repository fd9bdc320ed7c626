# SPDX-License-Identifier: Apache-2.0
"""Which channel values stay inline in the checkpoint document, and which become blobs.

A document is JSON. Small values that JSON gives back exactly stay inline, in every checkpoint;
the serializer turns all others into blobs, which are shared by the checkpoints that carry them.
LangGraph's Postgres saver divides values in the same way, so a thread it began has no blobs for
its primitives. A primitive that is a blob here must therefore be sent even when it did not change,
until its blob is known to be stored: SeenBlobs remembers that.
"""

from __future__ import annotations

import json
import math
import threading
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

from langgraph.checkpoint.serde import types
from langgraph.checkpoint.serde.base import SerializerProtocol
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from threadkeep._arguments import shown
from threadkeep._forks import runs_in_child
from threadkeep.errors import InvalidArgumentError

_MAX_INLINE_BYTES = 256
_MAX_SEEN = 8192

# What stands in the document for a snapshot of a delta channel, which itself is a blob. LangGraph's
# Postgres saver writes it too: its first versions with delta channels, 3.1.0 and 3.1.1, look for
# snapshots in documents only, and later ones know by it which threads they must not prune.
SNAPSHOT_MARK = True

# Absent from versions of LangGraph that have no delta channels.
_Snapshot: type | None = getattr(types, "_DeltaSnapshot", None)

# The types of values that LangGraph's Postgres saver keeps inline.
PRIMITIVES = (str, int, float, type(None))  # A bool is an int.

# thread_id, checkpoint_ns, channel, version
BlobKey = tuple[str, str, str, str]


def _is_plain_text(value: str) -> bool:
    if len(value) > _MAX_INLINE_BYTES or "\0" in value:
        return False
    if value.isascii():
        return True
    try:
        return len(value.encode()) <= _MAX_INLINE_BYTES
    except UnicodeEncodeError:
        return False


def _is_plain_float(value: float) -> bool:
    # JSON numbers lose the sign of zero in some stores, and exponents their spelling.
    if not math.isfinite(value) or (value == 0 and math.copysign(1, value) < 0):
        return False
    return "e" not in repr(value)


def survives_json(value: Any) -> bool:
    """Whether every store gives this value back exactly from a JSON document, and it is small.

    Subclasses do not: a str enum would come back as a str.
    """
    kind = type(value)
    if value is None or kind is bool:
        return True
    if kind is int:
        return bool(-(2**63) <= value < 2**63)
    if kind is float:
        return _is_plain_float(value)
    return kind is str and _is_plain_text(value)


def is_snapshot(value: Any) -> bool:
    """Whether this is the whole value of a delta channel.

    One is always stored, even when the version of its channel did not change: then it is what the
    blob of that version holds already, or all that the ancestors' writes add up to.
    """
    return _Snapshot is not None and isinstance(value, _Snapshot)


def keeps_inline(serde: SerializerProtocol) -> bool:
    """Whether values may bypass this serializer: only the default one is sure not to encrypt."""
    return type(serde) is JsonPlusSerializer


def version_text(version: Any) -> str:
    """A channel version as the key of a blob."""
    if type(version) is str:
        return version
    try:
        return str(json.loads(json.dumps(version)))
    except (TypeError, ValueError, RecursionError) as error:
        kind = type(version).__name__
        raise InvalidArgumentError(
            f"the version of a channel must be a str or a number, not {kind}: {shown(str(error))}"
        ) from error


# Of all that is seen: one for all, so that a forked child can have it free.
_seen_lock = threading.Lock()


@runs_in_child
def _begin_anew() -> None:
    global _seen_lock
    _seen_lock = threading.Lock()


class SeenBlobs:
    """Remembers which blobs of primitives are stored. Bounded, thread-safe."""

    def __init__(self, limit: int = _MAX_SEEN) -> None:
        self._limit = limit
        self._keys: OrderedDict[BlobKey, None] = OrderedDict()

    def __contains__(self, key: BlobKey) -> bool:
        with _seen_lock:
            return key in self._keys

    def add(self, keys: Iterable[BlobKey]) -> None:
        with _seen_lock:
            for key in keys:
                self._keys[key] = None
                self._keys.move_to_end(key)
            while len(self._keys) > self._limit:
                self._keys.popitem(last=False)

    def forget(self, thread_id: str) -> None:
        """Forgets a thread of which something was deleted."""
        with _seen_lock:
            for key in [key for key in self._keys if key[0] == thread_id]:
                del self._keys[key]

    def clear(self) -> None:
        with _seen_lock:
            self._keys.clear()
