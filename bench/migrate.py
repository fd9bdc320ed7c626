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

from servers import POSTGRES_SETTINGS, PostgresServer, running_server

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
    return Source(server, name, file, rows)


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


def timed(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


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


def measured(source: Source, work: Callable[[Source, str], None], *, empty: bool = False) -> float:
    with target(source, empty=empty) as name:
        seconds = timed(lambda: work(source, name))
        assert count(source, name) == source.rows
    return seconds


def ways(source: Source) -> dict[str, Callable[[], float]]:
    sqlite = f"sqlite:{source.file}"

    def ours(origin: str, *more: str) -> Callable[[], float]:
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


def again(source: Source) -> dict[str, float]:
    """A first run, and a second one over the same rows: seconds, and bytes of WAL of the second."""
    with target(source) as name:
        url = source.server.url(name)
        first = timed(lambda: migrate(source.url, url))
        with source.server.connect(name) as connection:
            connection.execute("CHECKPOINT")
            before = connection.execute("SELECT pg_current_wal_lsn()").fetchone()
            second = timed(lambda: migrate(source.url, url, "--allow-non-empty"))
            wal = connection.execute(
                "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), %s)", before
            ).fetchone()
    return {"first": first, "second": second, "wal": float(str((wal or (0,))[0]))}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--megabytes", type=int, default=200, help="of each table")
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--json", type=Path, help="also write the results here")
    options = arguments.parse_args()
    results: dict[str, dict[str, float]] = {}
    with running_server(**POSTGRES_SETTINGS) as server, tempfile.TemporaryDirectory() as folder:
        for payload in (1024, 100):
            source = make_source(server, Path(folder), payload, options.megabytes)
            seconds: dict[str, list[float]] = {name: [] for name in ways(source)}
            for _ in range(options.runs):  # in turns: what else the machine does hits all alike
                for name, way in ways(source).items():
                    seconds[name].append(way())
            medians = {name: median(times) for name, times in seconds.items()}
            second = again(source)
            results[str(payload)] = medians | {f"again, {key}": x for key, x in second.items()}
            print(f"\n{source.rows:,} rows of {payload} bytes: seconds, and COPY's speed is 1")
            for name, taken in medians.items():
                print(f"  {name:22} {taken:8.2f} {medians['COPY to COPY'] / taken:6.2f}")
            print(
                f"  a second run takes {second['second'] / second['first']:.2f} of the first,"
                f" and {second['wal'] / (1 << 10):,.0f} KiB of WAL"
            )
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(f"\nLargest process that was waited for: {peak >> 10} MiB")
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
