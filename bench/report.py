# SPDX-License-Identifier: Apache-2.0
"""From samples to numbers, a table, and a picture.

Every number is the median of the repetitions, but CPU is their mean. A cell is ranked when the
slowest repetition of one saver was faster than the fastest of the other.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from measure import Sample
    from plan import Result

OURS = "threadkeep"
_PACKAGES = ["threadkeep", "langgraph", "langgraph-checkpoint", "langgraph-checkpoint-postgres"]
_PACKAGES += ["langgraph-checkpoint-sqlite", "langgraph-checkpoint-plainredis", "psycopg", "redis"]


_HEAD = (
    f"{'operation':20} {'bytes':>7} {'at once':>7}  {'saver':31} {'op/s':>8}"
    f" {'p50 us':>8} {'p99 us':>8} {'CPU us':>7} {'server':>7}  ratio"
)


def progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def environment(servers: dict[str, str]) -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "processors": os.cpu_count(),
        "load_average": os.getloadavg(),
        "servers": servers,
        "packages": {name: importlib.metadata.version(name) for name in _PACKAGES},
    }


def summary(result: Result) -> dict[str, Any]:
    savers = {
        name: {
            **{key: median(getattr(s, key) for s in samples) for key in asdict(samples[0])},
            **{key: _mean(samples, key) for key in ("client_cpu_us", "server_cpu_us")},
            "samples": [asdict(sample) for sample in samples],
        }
        for name, samples in result.samples.items()
    }
    errors = {name: {"error": text} for name, text in result.errors.items()}
    return {**asdict(result.cell), "savers": savers | errors, "ratio": _ratio(result)}


def _mean(samples: list[Sample], key: str) -> float:
    """Of one operation: the clock of the processes is too coarse for the median of short turns."""
    operations = sum(sample.operations for sample in samples)
    return sum(getattr(sample, key) * sample.operations for sample in samples) / operations


def _ratio(result: Result) -> dict[str, Any] | None:
    """How many times as many operations a second threadkeep does."""
    others = [name for name in result.samples if name != OURS]
    if OURS not in result.samples or not others:
        return None
    ours = [sample.operations_per_second for sample in result.samples[OURS]]
    theirs = [sample.operations_per_second for sample in result.samples[others[0]]]
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    apart = min(ours) > max(theirs) or min(theirs) > max(ours)
    return {"median": median(ratios), "low": min(ratios), "high": max(ratios), "ranked": apart}


def table(numbers: dict[str, Any]) -> str:
    return "\n".join([*_speed(numbers), *_wire(numbers["wire"]), *_stored(numbers["stored"])])


def _speed(numbers: dict[str, Any]) -> Iterator[str]:
    backend = None
    for cell in numbers["cells"]:
        if cell["backend"] != backend:
            backend = cell["backend"]
            yield f"\n{backend}: {numbers['settings']['durability'][backend]}"
            yield _HEAD
        for name, saver in cell["savers"].items():
            yield _line(cell, name, saver)


def _line(cell: dict[str, Any], name: str, saver: dict[str, Any]) -> str:
    what = f"{cell['operation']}, {cell['mode']}"
    head = f"{what:20} {cell['payload']:7} {cell['concurrency']:7}  {name:31}"
    if "error" in saver:
        return f"{head} {saver['error'].splitlines()[0]}"
    keys = ("p50_us", "p99_us"), ("client_cpu_us", "server_cpu_us")
    times = " ".join(f"{saver[key]:8.0f}" for key in keys[0])
    costs = " ".join(f"{saver[key]:7.0f}" for key in keys[1])
    ratio = ratio_text(cell["ratio"]) if name == OURS else ""
    return f"{head} {saver['operations_per_second']:8.0f} {times} {costs}  {ratio}".rstrip()


def ratio_text(ratio: dict[str, Any] | None) -> str:
    if ratio is None:
        return ""
    text = f"{ratio['median']:.2f} ({ratio['low']:.2f} to {ratio['high']:.2f})"
    return text if ratio["ranked"] else text + ", not ranked"


def _wire(rows: list[dict[str, Any]]) -> Iterator[str]:
    if rows:
        yield "\nOn the wire, for one operation of a lone caller"
        yield f"{'operation':11} {'saver':42} {'round trips':>11} {'sent':>9} {'received':>9}"
    for row in rows:
        name = f"{row['saver']} ({row['backend']})"
        sizes = f"{row['sent_bytes']:9.0f} {row['received_bytes']:9.0f}"
        yield f"{row['operation']:11} {name:42} {row['round_trips']:11.1f} {sizes}"


def _stored(rows: list[dict[str, Any]]) -> Iterator[str]:
    if rows:
        yield f"\nStored for a thread of {rows[0]['steps']} steps"
    for row in rows:
        name = f"{row['saver']} ({row['backend']})"
        yield f"{row['shape']:11} {name:42} {row['bytes'] / 1024:9.0f} KiB"


def plot(numbers: dict[str, Any], path: Path) -> None:
    """The ratios of the asynchronous savers with their spread, one panel for each backend."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    matplotlib.rcParams["svg.hashsalt"] = "threadkeep"  # The same numbers make the same file.
    cells = [cell for cell in numbers["cells"] if cell["mode"] == "async" and cell["ratio"]]
    backends = list(dict.fromkeys(cell["backend"] for cell in cells))
    figure, panels = pyplot.subplots(
        1, len(backends), figsize=(3.6 * len(backends), 5), sharex=True, sharey=True, squeeze=False
    )
    for panel, backend in zip(panels[0], backends, strict=True):
        _panel(panel, backend, [cell for cell in cells if cell["backend"] == backend])
    panels[0][0].invert_yaxis()
    figure.supxlabel("operations per second of threadkeep / of the other saver, asyncio, 4 KiB")
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def _panel(panel: Any, backend: str, cells: list[dict[str, Any]]) -> None:
    other = [name for name in cells[0]["savers"] if name != OURS][0]
    names = [f"{cell['operation']}, {cell['concurrency']} at once" for cell in cells]
    ratios = [cell["ratio"] for cell in cells]
    middle = [ratio["median"] for ratio in ratios]
    spread = [
        [ratio["median"] - ratio["low"] for ratio in ratios],
        [ratio["high"] - ratio["median"] for ratio in ratios],
    ]
    colours = ["tab:blue" if ratio["ranked"] else "lightgrey" for ratio in ratios]
    panel.barh(names, middle, xerr=spread, color=colours, error_kw={"elinewidth": 1, "capsize": 2})
    panel.axvline(1, color="black", linewidth=1)
    panel.set_xscale("log")
    panel.set_title(f"{backend}\nagainst {other}", fontsize=9)
    panel.tick_params(labelsize=8)
