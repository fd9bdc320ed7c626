# SPDX-License-Identifier: Apache-2.0
"""Compares threadkeep's saver with others for LangGraph, on private servers with equal settings.

    bench/run.sh                      everything; takes half an hour
    bench/run.sh --quick              a few seconds: shows that it works, its numbers mean nothing
    bench/run.sh --backend postgres   one backend; may be repeated

The savers of a backend take turns at each cell, as often as there are repetitions. A ratio belongs
to one turn. An error ends its cell, which has no numbers then.
"""

from __future__ import annotations

import argparse
import gc
import json
import tempfile
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import Any

import report
import stored
import wire
from measure import Asynchronous, Blocking, Driver, Sample, Stopwatch, measure
from plan import BACKENDS, FULL, KIB, QUICK, Cell, Plan, Result
from savers import CONTESTANTS, POOL, Contestant
from servers import DURABILITY, Place, Servers, running_servers
from workload import OPERATIONS, SESSIONS, Size


class Session:
    """A saver that is open in a place of its own."""

    def __init__(self, plan: Plan, contestant: Contestant, driver: Driver, place: Place) -> None:
        self._plan = plan
        self.contestant = contestant
        self.driver = driver
        self._place = place
        blocking = driver.name == "sync" or contestant.is_threadkeep
        make = contestant.blocking if blocking else contestant.asynchronous
        self._manager = make(place)
        self.saver: Any = driver.opened(self._manager)
        self._prepared: set[tuple[str, int, int]] = set()

    def measure(self, cell: Cell, servers: Servers) -> Sample:
        return measure(
            self.driver,
            self.workers(cell),
            self._plan.seconds,
            lambda: servers.cpu_seconds(cell.backend),
        )

    def workers(self, cell: Cell) -> list[Any]:
        """Workers whose threads are there; those that only read find the threads of others."""
        kind = OPERATIONS[cell.operation]
        size = Size(cell.payload, self._plan.listed, self._plan.fan_out)
        workers = [kind(self.saver, size, number) for number in range(cell.concurrency)]
        for number, worker in enumerate(workers):
            thread = (cell.operation, cell.payload, number)
            if kind.shared == 0:
                self.driver.prepare(worker)
            elif number < kind.shared and thread not in self._prepared:
                self.driver.prepare(worker)
                self._prepared.add(thread)
        return workers

    def close(self) -> None:
        self.driver.closed(self._manager)
        self._place.remove()


class Comparison:
    def __init__(self, plan: Plan, servers: Servers, folder: Path) -> None:
        self._plan = plan
        self._servers = servers
        self._folder = folder
        self._numbers = 0

    def _place(self) -> Place:
        self._numbers += 1
        return Place(self._servers, self._folder, self._numbers % 64)

    def speed(self, backend: str) -> list[Result]:
        results = [Result(cell) for cell in self._plan.cells(backend)]
        for repetition in range(self._plan.repetitions):
            report.progress(f"{backend}: repetition {repetition + 1} of {self._plan.repetitions}")
            self._repeat(backend, results, turned=repetition % 2 == 1)
        return results

    def _repeat(self, backend: str, results: list[Result], turned: bool) -> None:
        """All cells once, on fresh stores; every other time the savers go in the other order."""
        savers = [one for one in CONTESTANTS if one.backend == backend][:: -1 if turned else 1]
        drivers: list[Driver] = [Blocking(), Asynchronous()]
        sessions = [
            Session(self._plan, one, driver, self._place()) for driver in drivers for one in savers
        ]
        for result in results:
            for session in sessions:
                if session.driver.name == result.cell.mode:
                    self._add(result, session)
        for session in sessions:
            session.close()
        for driver in drivers:
            driver.close()

    def _add(self, result: Result, session: Session) -> None:
        name = session.contestant.name
        only_ours = result.cell.operation in SESSIONS
        if name in result.errors or (only_ours and not session.contestant.is_threadkeep):
            return
        try:
            sample = session.measure(result.cell, self._servers)
            result.samples.setdefault(name, []).append(sample)
        except Exception as error:
            traceback.print_exc()
            result.errors[name] = f"{type(error).__name__}: {error}"
            result.samples.pop(name, None)

    def wire(self, backend: str) -> list[dict[str, Any]]:
        """Round trips and bytes of each operation, by a lone caller."""
        rows = []
        for contestant in CONTESTANTS:
            if contestant.backend == backend and backend in ("postgres", "redis"):
                rows += self._wire(contestant)
        return rows

    def _wire(self, contestant: Contestant) -> list[dict[str, Any]]:
        place, driver, rows = self._place(), Blocking(), []
        with wire.counting(place, contestant.backend) as counter:
            session = Session(self._plan, contestant, driver, place)
            for operation in OPERATIONS:
                if operation in SESSIONS and not contestant.is_threadkeep:
                    continue
                size = KIB if operation in SESSIONS else 4 * KIB
                cell = Cell(contestant.backend, "sync", operation, size, 1)
                rows.append(self._count(session, cell, counter))
            session.close()
        driver.close()
        return rows

    def _count(self, session: Session, cell: Cell, counter: wire.Counter) -> dict[str, Any]:
        workers, count = session.workers(cell), self._plan.wire_operations
        session.driver.run(workers, Stopwatch(60, 2))
        before = counter.numbers()
        watch = Stopwatch(60, count)
        session.driver.run(workers, watch)
        if watch.error is not None:
            raise watch.error
        numbers = [
            (now - then) / count for now, then in zip(counter.numbers(), before, strict=True)
        ]
        names = ("sent_bytes", "received_bytes", "round_trips")
        saver = {"saver": session.contestant.name, "backend": cell.backend}
        return {**saver, "operation": cell.operation, **dict(zip(names, numbers, strict=True))}

    def stored(self, backend: str) -> list[dict[str, Any]]:
        if backend not in stored.BACKENDS:
            return []
        report.progress(f"{backend}: stored bytes")
        return [
            {
                "saver": contestant.name,
                "backend": backend,
                "shape": shape,
                "steps": self._plan.steps,
                "bytes": stored.bytes_per_thread(
                    contestant, self._place, shape, self._plan.steps, self._plan.stored_threads
                ),
            }
            for shape in stored.SHAPES
            for contestant in CONTESTANTS
            if contestant.backend == backend
        ]


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="shows that it works, no more")
    parser.add_argument("--backend", action="append", choices=BACKENDS, help="may be repeated")
    parser.add_argument("--seconds", type=float, help="of each measurement")
    parser.add_argument("--repetitions", type=int)
    parser.add_argument("--json", type=Path, help="where all numbers go")
    parser.add_argument("--plot", type=Path, help="where a picture of the ratios goes, as SVG")
    return parser


def main() -> None:
    arguments = parser().parse_args()
    plan = QUICK if arguments.quick else FULL
    given = {"seconds": arguments.seconds, "repetitions": arguments.repetitions}
    plan = Plan(**{**asdict(plan), **{name: value for name, value in given.items() if value}})
    numbers = run(plan, arguments.backend or BACKENDS)
    print(report.table(numbers))
    if arguments.json:
        arguments.json.write_text(json.dumps(numbers, indent=1) + "\n")
    if arguments.plot:
        report.plot(numbers, arguments.plot)


def run(plan: Plan, backends: list[str]) -> dict[str, Any]:
    gc.collect()
    gc.freeze()  # What was imported is not looked at again before each measurement.
    with tempfile.TemporaryDirectory(prefix="threadkeep-bench-") as folder:
        with running_servers() as servers:
            comparison = Comparison(plan, servers, Path(folder))
            results = [result for name in backends for result in comparison.speed(name)]
            return {
                "settings": {**asdict(plan), "pool": POOL, "durability": DURABILITY},
                "environment": report.environment(servers.versions()),
                "cells": [report.summary(result) for result in results],
                "wire": [row for name in backends for row in comparison.wire(name)],
                "stored": [row for name in backends for row in comparison.stored(name)],
            }


if __name__ == "__main__":
    main()
