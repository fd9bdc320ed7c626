# SPDX-License-Identifier: Apache-2.0
"""What goes from a store, and when."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from threadkeep import _native
from threadkeep._arguments import checked_mapping, checked_timeout, id_text, id_texts, json_text
from threadkeep.errors import InvalidArgumentError
from threadkeep.store import DEFAULT_TIMEOUT, Store

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Due:
    """What would go now by one policy, for one reason.

    Attributes:
        policy: Its name; ``""`` for threads that go by a time of their own and match none.
        reason: ``"idle"``, ``"expired"``, ``"age"`` or ``"keep_last"``.
        threads: How many threads lose something.
        checkpoints: How many checkpoints go.
        writes: How many pending writes go.
        values: How many values of channels go; on Postgres 15 minutes later.
        bytes: What all that takes in the store.
    """

    policy: str
    reason: str
    threads: int
    checkpoints: int
    writes: int
    values: int
    bytes: int


@dataclass(frozen=True)
class Swept:
    """What a sweep has done.

    Attributes:
        run: Its number in the reports of the store.
        finished: Whether it looked at all that was due; else the next sweep goes on from there.
        threads: From how many threads something went.
        checkpoints: How many checkpoints went.
        writes: How many pending writes went.
        bytes: What all that took in the store.
        busy: How many threads were passed over because somebody wrote to them.
        collected: How many values went that earlier sweeps had left, on Postgres.
        tombstones: How many tombstones went that were older than they are kept.
        notes: How many old entries of the audit and old runs went.
        summary: The same in words.
    """

    run: int
    finished: bool
    threads: int
    checkpoints: int
    writes: int
    bytes: int
    busy: int
    collected: int
    tombstones: int
    notes: int
    summary: str


def policies_text(policies: Sequence[Mapping[str, Any]]) -> str:
    """Policies as the native module takes them."""
    if isinstance(policies, (str, bytes, Mapping)) or not isinstance(policies, Sequence):
        raise InvalidArgumentError("policies must be a list of dicts")
    listed = [dict(checked_mapping(policy, f"policies[{i}]")) for i, policy in enumerate(policies)]
    return json_text(listed, "policies")


def _microseconds(at: datetime | None) -> int | None:
    if at is None:
        return None
    if not isinstance(at, datetime) or at.tzinfo is None:
        raise InvalidArgumentError("at must be a datetime with a time zone, or None")
    return (at - _EPOCH) // timedelta(microseconds=1)


class Retention:
    """Policies of a store, and sweeps that obey them.

    Policies are dicts with the fields that the configuration file of the command has, such as
    ``{"name": "trials", "threads": "trial-*", "idle": "7d"}``. They stand in the store: every
    sweep obeys them, whichever program makes it.

    All methods wait for the store. An asyncio program calls them through ``asyncio.to_thread``.

    Args:
        store: An open store on Postgres, SQLite or in memory.
        timeout: Seconds after which a call ends with an error; ``None`` waits for ever. It does
            not count for :meth:`sweep`, which has ``time_budget``.
    """

    def __init__(self, store: Store, *, timeout: float | None = DEFAULT_TIMEOUT) -> None:
        self.store = store
        self.timeout = checked_timeout(timeout)

    def _call(self, request: _native.Request) -> Any:
        return self.store.call(request, self.timeout)

    def install(self) -> None:
        """Makes what retention needs in the store. Idempotent.

        Raises:
            UnsupportedError: A newer version of threadkeep has installed its own, or this kind of
                store has no retention.
        """
        self._call(_native.install_retention())

    def apply(self, policies: Sequence[Mapping[str, Any]]) -> None:
        """Stores policies instead of those that were stored, and installs what is missing.

        Raises:
            InvalidArgumentError: Names everything that is wrong with them.
        """
        request = _native.apply_policies(policies_text(policies))
        self.install()
        self._call(request)

    def policies(self) -> list[dict[str, Any]]:
        """The policies that are stored.

        Raises:
            UnsupportedError: Retention is not installed.
        """
        policies: list[dict[str, Any]] = json.loads(self._call(_native.stored_policies()))
        return policies

    def preview(self, policies: Sequence[Mapping[str, Any]] | None = None) -> list[Due]:
        """What a sweep would take now, by other policies than the stored ones if some are given."""
        text = None if policies is None else policies_text(policies)
        return [Due(*row) for row in self._call(_native.preview_retention(text))]

    def sweep(
        self, *, max_threads: int = 0, batch_size: int = 1000, time_budget: float = 600
    ) -> Swept | None:
        """Deletes what is due; ``None`` when another sweep is under way.

        Args:
            max_threads: When something was taken from so many threads, no further batch begins; 0
                is no limit. A batch takes from 250 threads at most.
            batch_size: After so many checkpoints a transaction ends, 1 to 10000.
            time_budget: Seconds after which no further batch begins.
        """
        return swept(self.store.call(_native.sweep(max_threads, batch_size, time_budget), None))

    def refresh(self, thread_ids: Sequence[str]) -> int:
        """Makes threads as young as if something had been stored in them; how many that were.

        For readers, so that what is read stays. It changes threads of which less than half of the
        time remains that a policy gives them, where that slides, and no others: not what is
        ``fixed``, nor the time of a thread. Otherwise it writes nothing, and costs a round trip.
        """
        return int(self._call(_native.refresh_threads(id_texts(thread_ids, "thread_ids"))))

    def expire(self, thread_id: str, at: datetime | None) -> None:
        """Lets a thread go at a time of its own, and not before by ``idle``.

        ``None`` leaves it to the policies again.
        """
        self._call(_native.expire_thread(id_text(thread_id, "thread_id"), _microseconds(at)))

    def pin(self, thread_id: str) -> bool:
        """Keeps a thread whatever the policies say. ``False`` when it was pinned already."""
        return bool(self._call(_native.pin_thread(id_text(thread_id, "thread_id"), True)))

    def unpin(self, thread_id: str) -> bool:
        """Takes the pin away. ``False`` when there was none."""
        return bool(self._call(_native.pin_thread(id_text(thread_id, "thread_id"), False)))


def swept(row: _native.SweptRow) -> Swept | None:
    """What a sweep answered."""
    return Swept(*row) if row[0] else None
