# SPDX-License-Identifier: Apache-2.0
"""Brings what stores log to Python's ``logging``, under the name ``threadkeep``.

Threads of stores put their records into a queue of the native module and never touch the
interpreter; a daemon thread takes them from there. So a record can be logged at any time, also
while the interpreter shuts down or another thread holds locks of ``logging``.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import threading

from threadkeep import _native
from threadkeep._forks import runs_in_child

_log = logging.getLogger("threadkeep")

_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}

_lock = threading.Lock()
_thread: threading.Thread | None = None

# Held while handlers run. They have locks of their own, such as that of the buffer of a file, which
# would be held for ever in a child that is forked then.
_handling = threading.RLock()
_MOST_SECONDS_OF_A_FORK = 1.0


def start() -> None:
    """Begins to pass records on, with the first store of the process."""
    global _thread
    if _thread is not None:
        return
    with _lock:
        if _thread is None:
            _native.log_open()
            _thread = threading.Thread(target=_pass_on, name="threadkeep-log", daemon=True)
            _thread.start()


def _pass_on() -> None:
    last = False
    while not last:
        rows, dropped, last = _native.log_take()
        for level, event, message, fields in rows:
            _write(_LEVELS[level], event, message, fields)
        if dropped:
            text = "Records were dropped because they came faster than logging took them."
            _write(logging.WARNING, "log_records_dropped", text, {"records": str(dropped)})


def _write(level: int, event: str, message: str, fields: dict[str, str]) -> None:
    details = "".join(f" {key}={value}" for key, value in fields.items())
    # A handler or filter of the program may raise; the next record goes through all the same.
    with _handling, contextlib.suppress(Exception):
        _log.log(level, "%s%s", message, details, extra={"event": event, "fields": fields})


@atexit.register
def _stop() -> None:
    # The thread has to end before the interpreter does. It passes on first what is in the queue.
    thread = _thread
    if thread is not None:
        _native.log_close()
        thread.join()


def _await_handlers() -> None:
    # A handler that hangs, or waits for the thread that forks, does not keep it from forking.
    _handling.acquire(timeout=_MOST_SECONDS_OF_A_FORK)


def _let_handlers_go() -> None:
    with contextlib.suppress(RuntimeError):  # it was not had in time
        _handling.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_await_handlers, after_in_parent=_let_handlers_go)


@runs_in_child
def _begin_anew() -> None:
    # The thread did not follow into the child, and a lock may be held there for ever. The first
    # store of the child begins anew, with a queue of its own.
    global _lock, _thread, _handling
    _lock = threading.Lock()
    _handling = threading.RLock()
    _thread = None
