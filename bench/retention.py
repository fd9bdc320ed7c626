# SPDX-License-Identifier: Apache-2.0
"""Measures sweeps of retention on a private Postgres server.

    build/venv/bin/python bench/retention.py                           a short form
    build/venv/bin/python bench/retention.py --checkpoints 1000000     the full size
    build/venv/bin/python bench/retention.py --json build/retention.json

A thread has 20 checkpoints, each with two new values and two writes; four of five threads are old.
Every measurement has a copy of the same database for itself.
"""

from __future__ import annotations

import argparse
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psycopg
from langgraph.checkpoint.postgres import PostgresSaver

from measure import Blocking, Stopwatch
from servers import POSTGRES_SETTINGS, PostgresServer, running_server
from threadkeep import Retention
from threadkeep.langgraph import ThreadkeepSaver
from workload import OPERATIONS, Size

STEPS = 20
ROWS_OF_CHECKPOINT = 5  # itself, two values, two writes
POLICY = [{"name": "old", "idle": "7d"}]
OLD = "SELECT thread_id FROM threadkeep_threads WHERE updated_at < now() - interval '7 days'"
TABLES = ("checkpoint_writes", "checkpoint_blobs", "checkpoints")
WRITERS = 4
TURNS = 3


@dataclass(frozen=True)
class Database:
    """A copy of the filled database that nobody else uses."""

    server: PostgresServer
    name: str

    @property
    def url(self) -> str:
        return self.server.url(self.name)

    def connect(self) -> psycopg.Connection[Any]:
        return self.server.connect(self.name)

    def rows(self) -> int:
        """In the tables of LangGraph's saver."""
        with self.connect() as connection:
            counts = [
                connection.execute(f"SELECT count(*) FROM {table}").fetchone() for table in TABLES
            ]
        return sum(row[0] for row in counts if row)

    def rule(self) -> None:
        """Installs retention, with a policy."""
        with self.saver() as saver:
            Retention(saver.store).apply(POLICY)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Another connection holds a snapshot, so that no dead row can be vacuumed."""
        with self.connect() as connection:
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            connection.execute("SELECT count(*) FROM threadkeep_threads")
            yield

    @contextmanager
    def saver(self) -> Iterator[ThreadkeepSaver]:
        with ThreadkeepSaver(f"{self.url}?pool_size=16") as saver:
            yield saver


class Databases:
    def __init__(self, server: PostgresServer, checkpoints: int) -> None:
        self._server = server
        self._numbers = itertools.count(1)
        self.threads = max(5, checkpoints // STEPS)
        self._filled = Database(server, server.new_database())
        self._fill()

    def _fill(self) -> None:
        with self._filled.saver() as saver:
            saver.setup()
        # Psycopg's own placeholders: the numbers are the only ones.
        text = Path(__file__).with_name("retention.sql").read_text()
        with self._filled.connect() as connection:
            connection.execute(
                text % {"threads": self.threads, "steps": STEPS}  # type: ignore[arg-type]
            )
            connection.execute("VACUUM ANALYZE")

    @contextmanager
    def copy(self) -> Iterator[Database]:
        copy = Database(self._server, f"copy{next(self._numbers)}")
        with self._server.connect("postgres") as connection:
            connection.execute(
                f"CREATE DATABASE {copy.name} TEMPLATE {self._filled.name} STRATEGY file_copy"
            )
            connection.execute("CHECKPOINT")
            yield copy
            connection.execute(f"DROP DATABASE {copy.name} WITH (FORCE)")


# How rows go


def sweep(database: Database) -> None:
    """Both phases, as if the grace of values were over at once."""
    with database.saver() as saver:
        retention = Retention(saver.store)
        _swept(retention)
        with database.connect() as connection:
            connection.execute(
                "UPDATE threadkeep_retention_garbage"
                " SET removed_at = removed_at - interval '16 minutes'"
            )
        _swept(retention)


def _swept(retention: Retention) -> None:
    done = retention.sweep(time_budget=86400)
    assert done is not None and done.finished and done.busy == 0, done


def single_delete(database: Database) -> None:
    """One transaction with one statement for each table, which keeps the locks until its end."""
    with database.connect() as connection, connection.transaction():
        for table in TABLES:
            connection.execute(f"DELETE FROM {table} WHERE thread_id IN ({OLD})")


def _old_threads(connection: psycopg.Connection[Any]) -> list[str]:
    return [row["thread_id"] for row in connection.execute(OLD)]


def delete_thread_loop(database: Database) -> None:
    with PostgresSaver.from_conn_string(database.url) as saver:
        for thread in _old_threads(saver.conn):  # type: ignore[arg-type]
            saver.delete_thread(thread)


def prune_loop(database: Database) -> None:
    with PostgresSaver.from_conn_string(database.url) as saver:
        threads = _old_threads(saver.conn)  # type: ignore[arg-type]
        for begin in range(0, len(threads), 100):
            saver.prune(threads[begin : begin + 100], strategy="delete")


WAYS: dict[str, Callable[[Database], None]] = {
    "sweep of threadkeep, both phases": sweep,
    "one DELETE for each table, in one transaction": single_delete,
    "PostgresSaver.delete_thread, one thread after the other": delete_thread_loop,
    "PostgresSaver.prune('delete'), 100 threads in a call": prune_loop,
}


def speed(databases: Databases) -> list[dict[str, Any]]:
    results = []
    for name, way in WAYS.items():
        with databases.copy() as database:
            database.rule()
            before, begin = database.rows(), time.perf_counter()
            way(database)
            seconds = time.perf_counter() - begin
            rows = before - database.rows()
        assert rows == databases.threads * 4 // 5 * STEPS * ROWS_OF_CHECKPOINT, (name, rows)
        results.append({"way": name, "rows": rows, "rows_per_second": rows / seconds})
    return results


# An old snapshot


def quarters(databases: Databases, *, snapshot: bool) -> list[float]:
    """Checkpoints per second of each quarter of a sweep."""
    with databases.copy() as database, database.saver() as saver:
        database.rule()
        with database.snapshot() if snapshot else nullcontext():
            return _quarters(Retention(saver.store), databases)


def _quarters(retention: Retention, databases: Databases) -> list[float]:
    speeds, quarter = [], databases.threads // 5
    batch = max(STEPS, min(1000, quarter * STEPS // 5))  # A quarter ends with one.
    for _ in range(4):
        begin = time.perf_counter()
        done = retention.sweep(max_threads=quarter, batch_size=batch, time_budget=86400)
        assert done is not None and done.threads > 0, done
        speeds.append(done.checkpoints / (time.perf_counter() - begin))
    return speeds


# Puts beside a sweep


class During(Stopwatch):
    """Runs as long as something else does."""

    def __init__(self, others: Callable[[], bool]) -> None:
        super().__init__(0, 0)
        self._others = others

    def runs(self) -> bool:
        return self.error is None and self._others()


def puts(saver: ThreadkeepSaver, watch: Stopwatch) -> list[float]:
    """The sorted latencies of puts of 4 KiB values, each writer with a thread of its own."""
    workers = [OPERATIONS["put"](saver, Size(4096), number) for number in range(WRITERS)]
    driver = Blocking()
    with closing(driver):
        for worker in workers:
            driver.prepare(worker)
        driver.run(workers, watch)
    if watch.error is not None:
        raise watch.error
    return sorted(watch.latencies)


def percentiles(latencies: list[float]) -> dict[str, float]:
    count = len(latencies)
    return {
        "puts": count,
        "p50_ms": latencies[count // 2] * 1e3,
        "p99_ms": latencies[min(count - 1, count * 99 // 100)] * 1e3,
    }


def beside_a_sweep(databases: Databases, seconds: float) -> list[dict[str, Any]]:
    """Puts without a sweep, then with one on connections of its own."""
    turns = []
    for _ in range(TURNS):
        with databases.copy() as database, database.saver() as saver, database.saver() as other:
            database.rule()
            retention = Retention(other.store)
            puts(saver, Stopwatch(seconds / 5, 1 << 30))
            alone = puts(saver, Stopwatch(seconds, 1 << 30))
            sweeping = threading.Thread(target=_swept_beside, args=[retention])
            sweeping.start()
            beside = puts(saver, During(sweeping.is_alive))
            sweeping.join()
        turns.append({"alone": percentiles(alone), "beside": percentiles(beside)})
    return turns


def _swept_beside(retention: Retention) -> None:
    retention.sweep(time_budget=86400)


def with_and_without(databases: Databases, seconds: float) -> list[dict[str, Any]]:
    """Puts into a store that has retention and into one that has not; they take turns."""
    turns = []
    with databases.copy() as without, databases.copy() as with_it:
        with_it.rule()
        with without.saver() as bare, with_it.saver() as ruled:
            savers = [bare, ruled]
            for saver in savers:
                puts(saver, Stopwatch(seconds / 5, 1 << 30))
            for turn in range(TURNS):
                numbers = {}
                for saver in savers[:: -1 if turn % 2 else 1]:
                    name = "without" if saver is bare else "installed"
                    numbers[name] = percentiles(puts(saver, Stopwatch(seconds, 1 << 30)))
                turns.append(numbers)
    return turns


# The report


def ratios(turns: list[dict[str, Any]], over: str, under: str, field: str) -> list[float]:
    return [turn[over][field] / turn[under][field] for turn in turns]


def _ratio_rows(title: str, turns: list[dict[str, Any]], over: str, under: str) -> Iterator[str]:
    for field in ("p50_ms", "p99_ms"):
        found = ratios(turns, over, under, field)
        low, high = (median(turn[name][field] for turn in turns) for name in (under, over))
        yield (
            f"| {title}, {field[:3]} | {low:.2f} ms | {high:.2f} ms "
            f"| {median(found):.2f} ({min(found):.2f}-{max(found):.2f}) |"
        )


def table(numbers: dict[str, Any]) -> str:
    best = numbers["speed"][0]["rows_per_second"]
    lines = ["| how | rows a second | sweep against it |", "|---|---|---|"]
    for row in numbers["speed"]:
        speed = row["rows_per_second"]
        lines.append(f"| {row['way']} | {speed:,.0f} | {best / speed:.2f} |")
    lines += ["", "| checkpoints a second in quarter | 1 | 2 | 3 | 4 |", "|---|---|---|---|---|"]
    for name, speeds in numbers["quarters"].items():
        lines.append(f"| {name} | " + " | ".join(f"{speed:,.0f}" for speed in speeds) + " |")
    lines += ["", "| put, 4 at once | without | with | ratio |", "|---|---|---|---|"]
    lines += _ratio_rows("a sweep at work", numbers["beside_a_sweep"], "beside", "alone")
    lines += _ratio_rows("retention installed", numbers["with_and_without"], "installed", "without")
    return "\n".join(lines)


def run(checkpoints: int, seconds: float) -> dict[str, Any]:
    with running_server(**POSTGRES_SETTINGS) as server:
        databases = Databases(server, checkpoints)
        return {
            "checkpoints": databases.threads * STEPS,
            "threads": databases.threads,
            "speed": speed(databases),
            "quarters": {
                "no other snapshot": quarters(databases, snapshot=False),
                "a snapshot from before is open": quarters(databases, snapshot=True),
            },
            "beside_a_sweep": beside_a_sweep(databases, seconds),
            "with_and_without": with_and_without(databases, seconds),
        }


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoints", type=int, default=10_000, help="of all threads together")
    parser.add_argument("--seconds", type=float, default=2, help="of each measurement of puts")
    parser.add_argument("--json", type=Path, help="where all numbers go")
    return parser


def main() -> None:
    arguments = parser().parse_args()
    numbers = run(arguments.checkpoints, arguments.seconds)
    print(table(numbers))
    if arguments.json:
        arguments.json.write_text(json.dumps(numbers, indent=1) + "\n")


if __name__ == "__main__":
    main()
