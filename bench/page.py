# SPDX-License-Identifier: Apache-2.0
"""Puts the numbers of a run into docs/performance.md: bench/page.py build/bench.json."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from report import OURS

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
BEGIN = "<!-- tables: bench/page.py -->\n"
END = "<!-- end of tables -->\n"
NAMES = {"postgres": "Postgres", "sqlite": "SQLite", "redis": "Redis", "memory": "Memory"}
SIZES = {100: ", 100 B", 1 << 20: ", 1 MiB"}
Cells = dict[str, dict[tuple[str, int], dict[str, Any]]]
COST = """### What an operation costs

CPU time, the mean of all turns. In SQLite the client is all there is.

"""
WIRE = """Round trips; KiB sent / received, of a lone blocking caller. Those of a fan-out and of an
agent run depend on which calls came together.

"""
STORED = """### What a thread takes

Tables with their indexes, the file, `used_memory`. In a steady thread two channels of 4 KiB are
replaced in each step; in a growing one a list gets one more message of 1 KiB, and one channel is
replaced. Each step has a put_writes. A growing list is stored anew with each step by all of them
(in threadkeep too, unless it is a delta channel), and is nearly all that such a thread has.

"""


def row(*columns: str) -> str:
    return f"| {' | '.join(columns)} |\n"


def head(*columns: str) -> str:
    return row(*columns) + "|---" * len(columns) + "|\n"


def by_mode(cells: list[dict[str, Any]], backend: str) -> Cells:
    """The cells of a backend, by the name of their line in the table."""
    found: Cells = {"sync": {}, "async": {}}
    for cell in cells:
        if cell["backend"] == backend:
            name = cell["operation"] + SIZES.get(cell["payload"], "")
            found[cell["mode"]][name, cell["concurrency"]] = cell
    return found


def other_saver(cells: Cells) -> str:
    names = (name for cell in cells["sync"].values() for name in cell["savers"] if name != OURS)
    return next(names)


def rate(cell: dict[str, Any], saver: str) -> str:
    value = cell["savers"].get(saver, {}).get("operations_per_second")
    if value is None:
        return ""
    return f"{value:.1f}" if value < 10 else f"{value:,.0f}"


def ratio(cell: dict[str, Any]) -> str:
    found = cell["ratio"]
    if found is None:
        return ""
    spread = f"{found['median']:.2f} ({found['low']:.2f}-{found['high']:.2f})"
    return spread if found["ranked"] else spread + " ~"


def speed(cells: list[dict[str, Any]], backend: str) -> Iterator[str]:
    modes = by_mode(cells, backend)
    other = other_saver(modes)
    yield f"### {NAMES[backend]}, against {other}\n\n"
    yield head("operation, at once", "sync: threadkeep", "other", "ratio",
               "asyncio: threadkeep", "other", "ratio")  # fmt: skip
    for key in modes["sync"]:
        columns = [f"{key[0]}, {key[1]}"]
        for mode in ("sync", "async"):
            cell = modes[mode].get(key)
            columns += [rate(cell, OURS), rate(cell, other), ratio(cell)] if cell else [""] * 3
        yield row(*columns)
    yield "\n"


def cost(cells: list[dict[str, Any]], at_once: int) -> Iterator[str]:
    backends = [name for name in NAMES if name != "memory"]
    yield COST
    pairs = [text for name in backends for text in (f"{NAMES[name]}: threadkeep", "other")]
    yield head(f"CPU in us of client + server, {at_once} at once, asyncio", *pairs)
    for operation in ("put", "put_writes", "get", "list"):
        columns = [operation]
        for backend in backends:
            modes = by_mode(cells, backend)
            for saver in (OURS, other_saver(modes)):
                used = modes["async"][operation, at_once]["savers"][saver]
                columns.append(f"{used['client_cpu_us']:.0f} + {used['server_cpu_us']:.0f}")
        yield row(*columns)
    yield "\n"


def wire(rows: list[dict[str, Any]]) -> Iterator[str]:
    yield WIRE
    yield head("operation", "Postgres: threadkeep", "other", "Redis: threadkeep", "other")
    for operation in dict.fromkeys(found["operation"] for found in rows):
        columns = [operation]
        for backend in ("postgres", "redis"):
            of_both = [r for r in rows if (r["operation"], r["backend"]) == (operation, backend)]
            of_both.sort(key=lambda found: bool(found["saver"] != OURS))
            texts = [
                f"{found['round_trips']:.1f}; {found['sent_bytes'] / 1024:.1f}"
                f" / {found['received_bytes'] / 1024:.1f}"
                for found in of_both
            ]
            columns += (texts + [""])[:2]
        yield row(*columns)
    yield "\n"


def stored(rows: list[dict[str, Any]]) -> Iterator[str]:
    yield STORED
    yield head(f"thread of {rows[0]['steps']} steps", "threadkeep", "other", "ratio")
    for place in dict.fromkeys((found["backend"], found["shape"]) for found in rows):
        sizes = {
            found["saver"] == OURS: found["bytes"]
            for found in rows
            if (found["backend"], found["shape"]) == place
        }
        kib = [f"{size / 1024:,.0f} KiB" for size in (sizes[True], sizes[False])]
        yield row(", ".join(place), *kib, f"{sizes[True] / sizes[False]:.2f}")
    yield "\n"


def tables(numbers: dict[str, Any]) -> str:
    """All that stands between the marks of the page."""
    cells = numbers["cells"]
    degrees = numbers["settings"]["concurrency"]
    parts = [text for backend in NAMES for text in speed(cells, backend)]
    parts += [
        *cost(cells, degrees[len(degrees) // 2]),
        *wire(numbers["wire"]),
        *stored(numbers["stored"]),
    ]
    return "".join(parts)


def main() -> None:
    before, rest = PAGE.read_text().split(BEGIN)
    after = rest.split(END)[1]
    numbers = json.loads(Path(sys.argv[1]).read_text())
    PAGE.write_text(before + BEGIN + tables(numbers) + END + after)


if __name__ == "__main__":
    main()
