# SPDX-License-Identifier: Apache-2.0
"""The private servers of the benchmark, and what they cost.

They are those of the tests, on free addresses of this machine, but Postgres keeps its promises of
durability.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "adapters" / "python" / "tests"))

from postgres_server import BYTEWISE, PostgresServer, running_server  # noqa: E402
from redis_server import RedisServer, running_redis  # noqa: E402

# The same for all savers on a backend.
DURABILITY = {
    "postgres": "fsync=on, synchronous_commit=on: a call that returned survives a power cut",
    "sqlite": "WAL, synchronous=FULL: a call that returned survives a power cut",
    "redis": "no append-only file, no snapshots: the data lives as long as the server",
    "memory": "none: the data lives as long as the process",
}
POSTGRES_SETTINGS = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


@dataclass(frozen=True)
class Servers:
    postgres: PostgresServer
    redis: RedisServer

    def cpu_seconds(self, backend: str) -> float:
        """What the server of a backend has used since its start; 0 where there is none."""
        roots = {"postgres": self.postgres.pid, "redis": self.redis.pid}
        return tree_cpu_seconds(roots[backend]) if backend in roots else 0.0

    def versions(self) -> dict[str, str]:
        with self.postgres.connect() as connection:
            (postgres,) = connection.execute("SHOW server_version").fetchone() or ("?",)
        redis: Any = self.redis.client().info("server")
        return {"postgres": str(postgres), "redis": redis["redis_version"]}


@contextmanager
def running_servers() -> Iterator[Servers]:
    with (
        running_server(**POSTGRES_SETTINGS) as postgres,
        running_redis(None, "--databases", "64") as redis,
    ):
        yield Servers(postgres, redis)


class Place:
    """Where one saver keeps its data. Nobody else uses it, and it goes as a whole.

    A `socket` or `port` other than that of the server is the address of a proxy before it.
    """

    def __init__(self, servers: Servers, folder: Path, number: int) -> None:
        self._servers = servers
        self._number = number
        self._schema = servers.postgres.schema()
        self.folder = folder / f"place-{self._schema}"
        self.folder.mkdir()
        self.port = servers.postgres.port
        self.socket = servers.redis.socket

    def threadkeep_postgres(self) -> str:
        return self._at_port(self._servers.postgres.threadkeep_url(BYTEWISE, self._schema))

    def langgraph_postgres(self) -> str:
        return self._at_port(self._servers.postgres.langgraph_url(BYTEWISE, self._schema))

    def _at_port(self, url: str) -> str:
        return url.replace(f":{self._servers.postgres.port}/", f":{self.port}/")

    def threadkeep_redis(self) -> str:
        return f"redis+unix://{self.socket}?db={self._number}"

    def redis_options(self) -> dict[str, Any]:
        """For a connection pool of redis-py."""
        return {"path": str(self.socket), "db": self._number}

    @property
    def file(self) -> Path:
        return self.folder / "store.db"

    def stored_bytes(self, backend: str) -> int:
        """What the place takes of disk, or of the server's memory."""
        if backend == "redis":
            info: Any = self._servers.redis.client().info("memory")
            return int(info["used_memory"])
        if backend == "sqlite":
            return sum(file.stat().st_size for file in self.folder.iterdir())
        with self._servers.postgres.connect() as connection:
            (size,) = connection.execute(
                "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c"
                " WHERE c.relkind = 'r' AND c.relnamespace = %s::regnamespace",
                [self._schema],
            ).fetchone() or (0,)
            return int(str(size))

    def remove(self) -> None:
        with self._servers.postgres.connect() as connection:
            connection.execute(f"DROP SCHEMA {self._schema} CASCADE")
        self._servers.redis.client(db=self._number).flushdb()
        shutil.rmtree(self.folder)


def tree_cpu_seconds(root: int) -> float:
    """User and system time of a process and its children, also of those that have ended."""
    ticks = 0
    for pid in (root, *_children(root)):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # It has just ended: its parent counts it from now on.
        ticks += sum(map(int, fields[11:13]))
        ticks += sum(map(int, fields[13:15])) if pid == root else 0
    return ticks / os.sysconf("SC_CLK_TCK")


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
