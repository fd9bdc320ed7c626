# SPDX-License-Identifier: Apache-2.0
"""What a thread takes of disk, or of the memory of Redis.

Both kinds of thread have 8 channels, a put and a put_writes for each step. In a `steady` one two
channels are replaced in each step. In a `growing` one a message of 1 KiB is added to one channel,
which is a list, and another channel is replaced.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from measure import Blocking, Stopwatch
from savers import Contestant
from servers import Place
from workload import CHANNELS, WRITE_BYTES, Put, Size, Steps, Worker, values

SIZE = Size(4096)


class SteadyThread(Put):
    """Its number is how many steps it has."""

    def operate(self) -> Steps:
        for _ in range(self.number):
            yield from self.conversation.put()
            yield self.conversation.writes()


class GrowingThread(SteadyThread):
    def operate(self) -> Steps:
        messages, others = values(WRITE_BYTES), values(self.size.payload)
        yield from self.conversation.put()
        for step in range(self.number):
            list_before = self.conversation.state[CHANNELS[0]] if step > 0 else []
            changes: dict[str, Any] = {CHANNELS[0]: [*list_before, next(messages)]}
            changes[CHANNELS[1 + step % 7]] = next(others)
            yield from self.conversation.put_values(changes)
            yield self.conversation.writes()


SHAPES: dict[str, type[SteadyThread]] = {"steady": SteadyThread, "growing": GrowingThread}
BACKENDS = ["postgres", "sqlite", "redis"]


def bytes_per_thread(
    contestant: Contestant, place: Callable[[], Place], shape: str, steps: int, threads: int
) -> int:
    """What a place grows by with some threads, for one of them. The first one does not count."""
    driver, where = Blocking(), place()
    manager = contestant.blocking(where)
    saver = driver.opened(manager)

    def fill() -> int:
        worker: Worker = SHAPES[shape](saver, SIZE, steps)
        watch = Stopwatch(seconds=3600, most=1)
        driver.run([worker], watch)
        if watch.error is not None:
            raise watch.error
        if contestant.backend == "sqlite":
            _move_log_into_file(where)
        return where.stored_bytes(contestant.backend)

    try:
        before = fill()
        return [fill() - before for _ in range(threads)][-1] // threads
    finally:
        driver.closed(manager)
        driver.close()
        where.remove()


def _move_log_into_file(place: Place) -> None:
    connection = sqlite3.connect(place.file)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
