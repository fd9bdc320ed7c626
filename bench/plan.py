# SPDX-License-Identifier: Apache-2.0
"""What is measured, and how much of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from measure import Sample
from servers import DURABILITY
from workload import OPERATIONS, SESSIONS

KIB = 1024
BACKENDS = list(DURABILITY)
# Operations that consist of many calls: how many of the degrees of concurrency are measured.
_DEGREES = {"fan-out": 1, "agent run": 2}


@dataclass(frozen=True)
class Cell:
    """What is measured, of every saver of a backend."""

    backend: str
    mode: str
    operation: str
    payload: int
    concurrency: int


@dataclass(frozen=True)
class Plan:
    """How much of everything."""

    seconds: float
    repetitions: int
    payloads: list[int]
    concurrency: list[int]
    steps: int
    stored_threads: int
    wire_operations: int
    listed: int
    fan_out: int

    def cells(self, backend: str) -> Iterator[Cell]:
        for mode in ("sync", "async"):
            for operation in OPERATIONS:
                at_once = self.concurrency[: _DEGREES.get(operation)]
                size = KIB if operation in SESSIONS else 4 * KIB
                for concurrency in at_once:
                    yield Cell(backend, mode, operation, size, concurrency)
        for payload in self.payloads:
            for operation in ("put", "get"):
                yield Cell(backend, "sync", operation, payload, 1)


FULL = Plan(0.5, 5, [100, KIB * KIB], [1, 16, 64], 200, 3, 50, 100, 100)
QUICK = Plan(0.01, 1, [100], [2], 5, 1, 3, 20, 5)


@dataclass
class Result:
    """Samples of a cell by the name of the saver; the errors of those that have none."""

    cell: Cell
    samples: dict[str, list[Sample]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
