# SPDX-License-Identifier: Apache-2.0
"""Sweeps that a program makes by itself, beside its work."""

from __future__ import annotations

import logging
import os
import random
import threading
import weakref

from threadkeep import _native
from threadkeep.errors import CallCancelledError, Error, InvalidArgumentError
from threadkeep.retention import swept
from threadkeep.store import Store

_log = logging.getLogger("threadkeep.retention")

# Seconds after which a pass begins no further batch.
_TIME_BUDGET = 600.0
_BATCH_SIZE = 1000


class Sweeper:
    """Sweeps a store at intervals, on a daemon thread of its own, until it is closed.

    It serves asyncio programs too: the thread waits inside of the native module, without the GIL.
    It keeps neither the store nor the process alive, and ends when nothing refers to this object
    any more. Of several processes one sweeps at a time; the store sees to that.

    Args:
        store: The store.
        interval: Seconds between two passes, on average.
        max_threads: When a pass took from so many threads it leaves the rest to the next.
    """

    def __init__(self, store: Store, interval: float, max_threads: int) -> None:
        stop, pending = threading.Event(), _native.PendingCall()
        self._thread = threading.Thread(
            target=_sweep_at_intervals,
            args=(weakref.ref(store), stop, pending, interval, max_threads),
            name="threadkeep-sweeper",
            daemon=True,
        )
        self._end = weakref.finalize(self, _end, stop, pending, os.getpid())
        self._end.atexit = False  # The store is closed then, and so are its calls.
        self._thread.start()

    def close(self) -> None:
        """Asks the pass that is under way to stop, and waits for it. Idempotent."""
        self._end()
        if threading.current_thread() is not self._thread:
            self._thread.join()


def _end(stop: threading.Event, pending: _native.PendingCall, process: int) -> None:
    # A forked child has copies of both, and must not touch the sweep of its parent through them.
    if os.getpid() == process:
        stop.set()
        pending.cancel()


def _sweep_at_intervals(
    store_ref: weakref.ref[Store],
    stop: threading.Event,
    pending: _native.PendingCall,
    interval: float,
    max_threads: int,
) -> None:
    # Processes that start together do not sweep together.
    pause = random.uniform(0, interval)
    while not stop.wait(pause):
        store = store_ref()
        if store is None or not _sweep(store, pending, max_threads):
            return
        del store
        pause = interval * random.uniform(0.9, 1.1)


def _sweep(store: Store, pending: _native.PendingCall, max_threads: int) -> bool:
    """One pass. False when there will be no other."""
    batch_size = min(max_threads, _BATCH_SIZE)
    try:
        request = _native.sweep(max_threads, batch_size, _TIME_BUDGET)
        done = swept(store.call(request, None, pending))
    except CallCancelledError:
        return False
    except Error as error:
        if _is_closed(store):
            return False
        _log.error("a sweep failed and will be tried again: %s", error)
    else:
        if done is not None and done.threads:
            _log.info("%s", done.summary)
    return True


def _is_closed(store: Store) -> bool:
    try:
        store.ping()
    except InvalidArgumentError:
        return True
    return False
