# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL server of the tests' own, with two databases that order text differently.

It lives in a temporary directory, listens on a free port of the loopback address, and is told to
stop by the kernel when the tests die. It trades durability for speed, unless told otherwise.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import psycopg
from langgraph.checkpoint.postgres import PostgresSaver
from psycopg import sql
from psycopg.rows import dict_row

# Texts in the order of their bytes, and in the order of a language: a, B, c.
BYTEWISE = "bytewise"
ICU = "icu"

_CREATE_DATABASES = {
    BYTEWISE: "LOCALE 'C'",
    ICU: "LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'",
}
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "300",
    "shared_buffers": "64MB",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "log_min_messages": "warning",
}
# What LangGraph's saver makes, kept once and copied.
_MODEL = "langgraph_model"
_TABLES = ("checkpoint_migrations", "checkpoints", "checkpoint_blobs", "checkpoint_writes")


def _programs() -> Path:
    """The programs of the newest PostgreSQL of this machine."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda at: int(at.parts[4])
    )
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    assert on_path, "PostgreSQL is not installed: scripts/install-deps.sh tests"
    return Path(on_path).parent


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class PostgresServer:
    """A running server. Hands out schemas and databases that nobody else uses."""

    def __init__(
        self, folder: Path, settings: dict[str, str], programs: Path | None = None
    ) -> None:
        self._folder = folder
        self._programs = programs or _programs()
        self._settings = _SETTINGS | settings
        self._log = folder / "log"
        self._numbers = itertools.count(1)
        # PostgreSQL refuses to run as root.
        self._user = ["--reuid=postgres", "--regid=postgres", "--init-groups"]
        if os.geteuid() != 0:
            self._user = []
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    def start(self) -> None:
        if self._user:
            account = pwd.getpwnam("postgres")
            os.chown(self._folder, account.pw_uid, account.pw_gid)
        data = self._folder / "data"
        initdb = ["initdb", "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8"]
        self._run([*initdb, "--locale=C", "--no-sync"])
        for _ in range(5):  # Another program may take the port first.
            self.port = _free_port()
            if self._listens(data):
                break
        self._make_databases()

    def _make_databases(self) -> None:
        with self.connect("postgres") as connection:
            for name, how in _CREATE_DATABASES.items():
                connection.execute(
                    f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' {how}"
                )
        for name in _CREATE_DATABASES:
            self._make_model(name)

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)  # At once, whoever is connected.
            self._process.wait(30)

    def kill(self) -> None:
        """SIGKILL for the server and all of its processes, as when the machine goes down."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        for pid in [self.pid, *map(int, children)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        assert self._process is not None
        self._process.wait(30)

    def restart(self) -> None:
        """After stop() or kill(), on the same port."""
        give_up = time.monotonic() + 30
        while not self._listens(self._folder / "data"):
            assert time.monotonic() < give_up, self._log.read_text()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def url(self, database: str, **parameters: str) -> str:
        """A URL of libpq's form."""
        query = urllib.parse.urlencode(parameters, quote_via=urllib.parse.quote)
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}" + (query and f"?{query}")

    def connect(self, database: str = BYTEWISE) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self.url(database), autocommit=True)

    def new_database(self) -> str:
        name = f"d{next(self._numbers)}"
        with self.connect("postgres") as connection:
            create = sql.SQL("CREATE DATABASE {} TEMPLATE template0")
            connection.execute(create.format(sql.Identifier(name)))
        return name

    def schema(self, database: str = BYTEWISE, *, adopted: bool = False) -> str:
        """A new schema: empty, or with the tables that LangGraph's saver makes."""
        name = f"s{next(self._numbers)}"
        schema = sql.Identifier(name)
        with self.connect(database) as connection:
            connection.execute(sql.SQL("CREATE SCHEMA {}").format(schema))
            for table in _TABLES if adopted else ():
                model, copy = sql.Identifier(_MODEL, table), sql.Identifier(name, table)
                connection.execute(
                    sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL)").format(copy, model)
                )
            if adopted:
                model = sql.Identifier(_MODEL, _TABLES[0])
                copy = sql.Identifier(name, _TABLES[0])
                connection.execute(sql.SQL("INSERT INTO {} TABLE {}").format(copy, model))
        return name

    def threadkeep_url(self, database: str, schema: str) -> str:
        return self.url(database, schema=schema)

    def langgraph_url(self, database: str, schema: str) -> str:
        """For LangGraph's saver, which knows no schemas."""
        return self.url(database, options=f"-csearch_path={schema}")

    def _make_model(self, database: str) -> None:
        with self.connect(database) as connection:
            connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(_MODEL)))
        address = self.langgraph_url(database, _MODEL)
        with psycopg.connect(address, autocommit=True, row_factory=dict_row) as connection:
            PostgresSaver(connection).setup()

    def _command(self, command: list[str], *, dies_with_us: bool) -> list[str]:
        program = [str(self._programs / command[0]), *command[1:]]
        death = ["--pdeathsig", "QUIT"] if dies_with_us else []
        return ["setpriv", *self._user, *death, *program] if self._user or death else program

    def _run(self, command: list[str]) -> None:
        result = subprocess.run(
            self._command(command, dies_with_us=False),
            cwd=self._folder,
            capture_output=True,
            text=True,
        )
        assert result.returncode == 0, result.stdout + result.stderr

    def _listens(self, data: Path) -> bool:
        """Starts the server; False when its port was taken."""
        settings = [f"--{name}={value}" for name, value in self._settings.items()]
        command = ["postgres", "-D", str(data), f"--port={self.port}", *settings]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command(command, dies_with_us=True), cwd=self._folder, stdout=log, stderr=log
            )
        give_up = time.monotonic() + 30
        while self._process.poll() is None:
            try:
                self.connect("postgres").close()
                return True
            except psycopg.OperationalError:
                assert time.monotonic() < give_up, self._log.read_text()
                time.sleep(0.02)
        assert "could not bind" in self._log.read_text(), self._log.read_text()
        return False


@contextlib.contextmanager
def running_server(**settings: str) -> Iterator[PostgresServer]:
    """A server with settings of Postgres that differ from those of the tests."""
    folder = Path(tempfile.mkdtemp(prefix="threadkeep-postgres-"))
    server = PostgresServer(folder, settings)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
