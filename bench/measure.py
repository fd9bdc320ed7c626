# SPDX-License-Identifier: Apache-2.0
"""Runs operations against the clock: blocking ones on threads, asynchronous ones as tasks."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from workload import Call, Steps, Worker


@dataclass
class Sample:
    """One measurement of one operation."""

    operations_per_second: float
    p50_us: float
    p99_us: float
    client_cpu_us: float
    server_cpu_us: float
    operations: int


@dataclass
class Stopwatch:
    """When to stop, and what was seen. Each worker does one operation; an error stops all."""

    seconds: float
    most: int
    latencies: list[float] = field(default_factory=list)
    error: BaseException | None = None

    def __post_init__(self) -> None:
        self._begin = time.perf_counter()

    def runs(self) -> bool:
        if self.error is not None or len(self.latencies) >= self.most:
            return False
        return time.perf_counter() - self._begin < self.seconds


class Blocking:
    """Calls on as many threads as there are workers."""

    name = "sync"

    def __init__(self) -> None:
        self._fan_out = ThreadPoolExecutor(16)

    def opened(self, manager: Any) -> Any:
        return manager.__enter__()

    def closed(self, manager: Any) -> None:
        manager.__exit__(None, None, None)

    def prepare(self, worker: Worker) -> None:
        self._carry_out(worker.prepare())

    def run(self, workers: Sequence[Worker], watch: Stopwatch) -> None:
        threads = [threading.Thread(target=self._work, args=(w, watch)) for w in workers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def close(self) -> None:
        self._fan_out.shutdown()

    def _work(self, worker: Worker, watch: Stopwatch) -> None:
        try:
            while True:
                begin = time.perf_counter()
                self._carry_out(worker.operate())
                watch.latencies.append(time.perf_counter() - begin)
                if not watch.runs():
                    return
        except Exception as error:
            watch.error = error

    def _carry_out(self, steps: Steps) -> None:
        try:
            wanted = next(steps)
            while True:
                wanted = steps.send(
                    _call(wanted)
                    if isinstance(wanted, Call)
                    else list(self._fan_out.map(_call, wanted))
                )
        except StopIteration:
            pass


def _call(call: Call) -> Any:
    answer = getattr(call.target, call.name)(*call.arguments, **call.keywords)
    return list(answer) if call.name == "list" else answer


class Asynchronous:
    """Calls of as many tasks as there are workers, in one event loop."""

    name = "async"

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()

    def opened(self, manager: Any) -> Any:
        return self._loop.run_until_complete(manager.__aenter__())

    def closed(self, manager: Any) -> None:
        self._loop.run_until_complete(manager.__aexit__(None, None, None))

    def prepare(self, worker: Worker) -> None:
        self._loop.run_until_complete(self._carry_out(worker.prepare()))

    def run(self, workers: Sequence[Worker], watch: Stopwatch) -> None:
        async def all_of_them() -> None:
            await asyncio.gather(*(self._work(worker, watch) for worker in workers))

        self._loop.run_until_complete(all_of_them())

    def close(self) -> None:
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    async def _work(self, worker: Worker, watch: Stopwatch) -> None:
        try:
            while True:
                begin = time.perf_counter()
                await self._carry_out(worker.operate())
                watch.latencies.append(time.perf_counter() - begin)
                if not watch.runs():
                    return
        except Exception as error:
            watch.error = error

    async def _carry_out(self, steps: Steps) -> None:
        try:
            wanted = next(steps)
            while True:
                wanted = steps.send(
                    await _acall(wanted)
                    if isinstance(wanted, Call)
                    else await asyncio.gather(*map(_acall, wanted))
                )
        except StopIteration:
            pass


async def _acall(call: Call) -> Any:
    answer = getattr(call.target, "a" + call.name)(*call.arguments, **call.keywords)
    return [item async for item in answer] if call.name == "list" else await answer


Driver = Blocking | Asynchronous


def measure(
    driver: Driver,
    workers: Sequence[Worker],
    seconds: float,
    server_cpu: Callable[[], float],
) -> Sample:
    """Warms up, then measures. Raises what an operation raises: such a cell has no numbers."""
    # A run of large values ends before it fills the memory of the machine.
    most = max(100, (1 << 27) // workers[0].size.payload)
    _run(driver, workers, Stopwatch(seconds / 5, most // 5))
    gc.collect()
    server, client, begin = server_cpu(), time.process_time(), time.perf_counter()
    latencies = sorted(_run(driver, workers, Stopwatch(seconds, most)))
    wall, client = time.perf_counter() - begin, time.process_time() - client
    server, count = server_cpu() - server, len(latencies)
    return Sample(
        operations_per_second=count / wall,
        p50_us=latencies[count // 2] * 1e6,
        p99_us=latencies[min(count - 1, count * 99 // 100)] * 1e6,
        client_cpu_us=client / count * 1e6,
        server_cpu_us=server / count * 1e6,
        operations=count,
    )


def _run(driver: Driver, workers: Sequence[Worker], watch: Stopwatch) -> list[float]:
    driver.run(workers, watch)
    if watch.error is not None:
        raise watch.error
    return watch.latencies
