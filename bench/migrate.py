# SPDX-License-Identifier: Apache-2.0
"""Measures `threadkeep migrate-tier` on a private Postgres server, beside other ways of copying.

    build/venv/bin/python bench/migrate.py                     a short form
    build/venv/bin/python bench/migrate.py --megabytes 1024    larger tables
    build/venv/bin/python bench/migrate.py --json build/migrate.json

The limit is a pipe from COPY to COPY, which neither looks for rows that are there nor can be
continued. pgcopydb and pgloader are run where they are installed. Each run has an empty target.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from servers import POSTGRES_SETTINGS, PostgresServer, running_server, tree_cpu_seconds

COMMAND = Path(sys.executable).with_name("threadkeep")
COLUMNS = (
    "id bigint PRIMARY KEY, name text NOT NULL, payload text NOT NULL, at timestamptz NOT NULL"
)
OVERHEAD = 60  # bytes of a row beside its payload
FILL = """
INSERT INTO rows SELECT n, 'row ' || n,
  substr(repeat(md5(n::text), 1 + {payload} / 32), 1, {payload}),
  '2026-01-01Z'::timestamptz + n * '1s'::interval FROM generate_series(1, {rows}) n
"""


@dataclass(frozen=True)
class Source:
    server: PostgresServer
    name: str
    file: Path
    rows: int
    payload: int

    @property
    def url(self) -> str:
        return self.server.url(self.name)


def make_source(server: PostgresServer, folder: Path, payload: int, megabytes: int) -> Source:
    rows = megabytes * (1 << 20) // (payload + OVERHEAD)
    name = server.new_database()
    with server.connect(name) as connection:
        connection.execute(f"CREATE TABLE rows ({COLUMNS})")
        connection.execute(FILL.format(rows=rows, payload=payload))
        connection.execute("VACUUM ANALYZE rows")
        file = folder / f"{payload}.db"
        with sqlite3.connect(file) as sqlite:
            sqlite.execute(
                "CREATE TABLE rows (id INTEGER PRIMARY KEY, name TEXT NOT NULL,"
                " payload TEXT NOT NULL, at TIMESTAMP NOT NULL)"
            )
            with connection.cursor() as cursor:
                cursor.execute("SELECT id, name, payload, at::text FROM rows")
                sqlite.executemany("INSERT INTO rows VALUES (?, ?, ?, ?)", cursor)
        sqlite.close()
    return Source(server, name, file, rows, payload)


@contextmanager
def target(source: Source, *, empty: bool = False) -> Iterator[str]:
    """The name of a database with the table, or without."""
    name = source.server.new_database()
    if not empty:
        with source.server.connect(name) as connection:
            connection.execute(f"CREATE TABLE rows ({COLUMNS})")
    try:
        yield name
    finally:
        with source.server.connect("postgres") as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@dataclass(frozen=True)
class Cost:
    seconds: float
    cpu: float  # of server and clients, which tells more on a machine that is busy

    @staticmethod
    def median(costs: list[Cost]) -> Cost:
        return Cost(median(c.seconds for c in costs), median(c.cpu for c in costs))


def cpu_seconds(server: PostgresServer) -> float:
    clients = resource.getrusage(resource.RUSAGE_CHILDREN)
    return tree_cpu_seconds(server.pid) + clients.ru_utime + clients.ru_stime


def cost(server: PostgresServer, work: Callable[[], None]) -> Cost:
    start, cpu = time.perf_counter(), cpu_seconds(server)
    work()
    return Cost(time.perf_counter() - start, cpu_seconds(server) - cpu)


def run(*command: str | Path) -> None:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode == 0, (command, done.stdout[-2000:], done.stderr[-2000:])


def count(source: Source, name: str) -> int:
    with source.server.connect(name) as connection:
        (rows,) = connection.execute("SELECT count(*) FROM rows").fetchone() or (0,)
    return int(str(rows))


def migrate(origin: str, url: str, *more: str) -> None:
    run(
        COMMAND,
        "migrate-tier",
        "--to",
        "standalone",
        "--from",
        origin,
        "--target-url",
        url,
        "--yes",
        "--timeout",
        "1h",
        *more,
    )


def peak_memory(origin: str, url: str) -> int:
    """Of one migration, in MiB. What wait4() says has the memory of this process in it."""
    arguments = ("--to", "standalone", "--from", origin, "--target-url", url, "--yes")
    migration = subprocess.Popen(
        [COMMAND, "migrate-tier", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    peak = 0
    while migration.poll() is None:
        status = Path(f"/proc/{migration.pid}/status").read_text()
        if "threadkeep" in status.splitlines()[0]:
            peak = max([peak, *map(int, re.findall(r"VmHWM:\s+(\d+)", status))])
        time.sleep(0.01)
    assert migration.returncode == 0, migration.communicate()
    return peak >> 10


def copy_pipe(source: Source, name: str) -> None:
    out = subprocess.Popen(
        ["psql", "-Xq", source.url, "-c", "COPY rows TO STDOUT"], stdout=subprocess.PIPE
    )
    run_in = ["psql", "-Xq", source.server.url(name), "-c", "COPY rows FROM STDIN"]
    subprocess.run(run_in, stdin=out.stdout, check=True)
    assert out.wait() == 0


def pgcopydb(source: Source, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run(
            "pgcopydb",
            "clone",
            "--dir",
            folder,
            "--source",
            source.url,
            "--target",
            source.server.url(name),
            "--no-owner",
        )


def pgloader_from(origin: str) -> Callable[[Source, str], None]:
    def load(source: Source, name: str) -> None:
        run("pgloader", origin, source.server.url(name))

    return load


def measured(source: Source, work: Callable[[Source, str], None], *, empty: bool = False) -> Cost:
    with target(source, empty=empty) as name:
        taken = cost(source.server, lambda: work(source, name))
        assert count(source, name) == source.rows
    return taken


def ways(source: Source) -> dict[str, Callable[[], Cost]]:
    sqlite = f"sqlite:{source.file}"

    def ours(origin: str, *more: str) -> Callable[[], Cost]:
        return lambda: measured(source, lambda s, n: migrate(origin, s.server.url(n), *more))

    found = {
        "COPY to COPY": lambda: measured(source, copy_pipe),
        "Postgres, threadkeep": ours(source.url),
        "the same, --row-log": ours(source.url, "--row-log"),
        "SQLite, threadkeep": ours(sqlite),
    }
    if shutil.which("pgcopydb"):
        found["Postgres, pgcopydb"] = lambda: measured(source, pgcopydb, empty=True)
    if shutil.which("pgloader"):
        load = pgloader_from(sqlite.replace("sqlite:", "sqlite://"))
        found["SQLite, pgloader"] = lambda: measured(source, load, empty=True)
        load_postgres = pgloader_from(source.url)
        found["Postgres, pgloader"] = lambda: measured(source, load_postgres, empty=True)
    return found


def several(source: Source, tables: int = 4) -> dict[int, Cost]:
    """What the rows cost in so many tables of one size, by the number of jobs."""
    names = [f"rows_{n}" for n in range(tables)]
    taken: dict[int, Cost] = {}
    origin = source.server.new_database()
    with source.server.connect(origin) as connection:
        for name in names:
            connection.execute(f"CREATE TABLE {name} ({COLUMNS})")
            fill = FILL.replace("INTO rows", f"INTO {name}")
            connection.execute(fill.format(rows=source.rows // tables, payload=source.payload))
            connection.execute(f"VACUUM ANALYZE {name}")
    for jobs in (1, 2, 4):
        with target(source, empty=True) as place:
            with source.server.connect(place) as connection:
                for name in names:
                    connection.execute(f"CREATE TABLE {name} ({COLUMNS})")
            urls = source.server.url(origin), source.server.url(place)
            more = ("--jobs", str(jobs))
            taken[jobs] = cost(source.server, lambda: migrate(*urls, *more))  # noqa: B023
    with source.server.connect("postgres") as connection:
        connection.execute(f"DROP DATABASE {origin} WITH (FORCE)")
    return taken


def again(source: Source) -> tuple[Cost, Cost, float]:
    """A first run, a second one over the same rows, and bytes of WAL of the second."""
    with target(source) as name:
        url = source.server.url(name)
        first = cost(source.server, lambda: migrate(source.url, url))
        with source.server.connect(name) as connection:
            connection.execute("CHECKPOINT")
            before = connection.execute("SELECT pg_current_wal_lsn()").fetchone()
            second = cost(source.server, lambda: migrate(source.url, url, "--allow-non-empty"))
            wal = connection.execute(
                "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), %s)", before
            ).fetchone()
    return first, second, float(str((wal or (0,))[0]))


def report(source: Source, runs: int) -> dict[str, object]:
    costs: dict[str, list[Cost]] = {name: [] for name in ways(source)}
    seconds: list[tuple[Cost, Cost, float]] = []
    for _ in range(runs):  # in turns: what else the machine does hits all alike
        for name, way in ways(source).items():
            costs[name].append(way())
        seconds.append(again(source))
    medians = {name: Cost.median(taken) for name, taken in costs.items()}
    print(f"\n{source.rows:,} rows of {source.payload} bytes: seconds, and COPY's speed is 1;")
    print("  the same for CPU time of server and clients")
    best = medians["COPY to COPY"]
    for name, taken in medians.items():
        print(
            f"  {name:22} {taken.seconds:8.2f} {best.seconds / taken.seconds:6.2f}"
            f" {taken.cpu:8.2f} {best.cpu / taken.cpu:6.2f}"
        )
    first = Cost.median([each[0] for each in seconds])
    second = Cost.median([each[1] for each in seconds])
    wal = median(each[2] for each in seconds)
    print(
        f"  a second run takes {second.seconds / first.seconds:.2f} of the first,"
        f" {second.cpu / first.cpu:.2f} of its CPU time, and {wal / (1 << 10):,.0f} KiB of WAL"
    )
    jobs = several(source)
    for number, taken in jobs.items():
        print(f"  4 tables, --jobs {number}: {jobs[1].seconds / taken.seconds:.2f} of the speed")
    memory = {}
    for kind, origin in (("Postgres", source.url), ("SQLite", f"sqlite:{source.file}")):
        with target(source) as name:
            memory[kind] = peak_memory(origin, source.server.url(name))
        print(f"  {memory[kind]} MiB of memory from {kind}")
    return {
        "memory": memory,
        "ways": {name: vars(taken) for name, taken in medians.items()},
        "again": {"first": vars(first), "second": vars(second), "wal": wal},
        "jobs": {number: vars(taken) for number, taken in jobs.items()},
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--megabytes", type=int, default=200, help="of each table")
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--json", type=Path, help="also write the results here")
    options = arguments.parse_args()
    results: dict[str, object] = {}
    with running_server(**POSTGRES_SETTINGS) as server, tempfile.TemporaryDirectory() as folder:
        for payload in (1024, 100):
            source = make_source(server, Path(folder), payload, options.megabytes)
            results[str(payload)] = report(source, options.runs)
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
