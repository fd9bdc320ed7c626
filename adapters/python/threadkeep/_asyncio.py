# SPDX-License-Identifier: Apache-2.0
"""Awaits calls of the native module on any asyncio event loop.

Threads of the store put finished calls into a queue and wake the loop through a descriptor; the
loop's own thread turns results into Python objects. One queue serves all stores on a loop.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
import weakref
from typing import Any

from threadkeep import _native
from threadkeep._forks import runs_in_child


class _LoopQueue:
    """The calls of one event loop that are in flight. Used on the loop's thread only."""

    def __init__(self) -> None:
        self.native = _native.CompletionQueue()
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._tokens = itertools.count(1)

    async def call(
        self,
        loop: asyncio.AbstractEventLoop,
        store: _native.Store,
        request: _native.Request,
        timeout: float | None,
    ) -> Any:
        token = next(self._tokens)
        future: asyncio.Future[Any] = loop.create_future()
        self._waiting[token] = future
        try:
            pending = store.submit(request, timeout, self.native, token)
        except BaseException:
            del self._waiting[token]
            raise
        try:
            return await future
        except asyncio.CancelledError:
            pending.cancel()
            raise

    def drain(self) -> None:
        for token, value, error in self.native.drain():
            future = self._waiting.pop(token)
            if future.done():  # Cancelled while its call was in flight.
                continue
            if error is None:
                future.set_result(value)
            else:
                future.set_exception(error)


# A queue must not refer to its loop, or the loop would live for ever.
_queues: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _LoopQueue] = (
    weakref.WeakKeyDictionary()
)
_lock = threading.Lock()


def _new_queue(loop: asyncio.AbstractEventLoop) -> _LoopQueue:
    queue = _LoopQueue()
    loop.add_reader(queue.native.fileno(), queue.drain)
    with _lock:
        for other in list(_queues):
            if other.is_closed():
                del _queues[other]
        _queues[loop] = queue
    return queue


_inherited: list[object] = []


@runs_in_child
def _begin_anew() -> None:
    # The descriptors of these queues are the parent's too. They stay open, for the selectors of
    # inherited loops know them.
    global _lock, _queues
    _inherited.append(_queues)
    _queues = weakref.WeakKeyDictionary()
    _lock = threading.Lock()


async def call(store: _native.Store, request: _native.Request, timeout: float | None) -> Any:
    """Makes a request in the background and returns its answer. Cancelling asks it to stop."""
    loop = asyncio.get_running_loop()
    with _lock:
        queue = _queues.get(loop)
    return await (queue or _new_queue(loop)).call(loop, store, request, timeout)
