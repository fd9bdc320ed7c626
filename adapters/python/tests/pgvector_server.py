# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL server with pgvector, of the tests' own: Debian 12 has no package of it, so it is
the one that the Python package `pgserver` brings."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from installed import installed
from postgres_server import PostgresServer

PACKAGE = "pgserver==0.1.4"  # PostgreSQL 16.2, pgvector 0.6.2
# Only its programs are of interest, so any interpreter's wheel will do.
_INSTALL = ("--no-deps", "--only-binary=:all:", "--python-version=3.12", PACKAGE)


class VectorServer(PostgresServer):
    """Databases can have the extension `vector`."""

    def _make_databases(self) -> None:
        """None but those that tests ask for: this server knows no ICU."""


@contextmanager
def running_vector_server() -> Iterator[VectorServer]:
    folder = Path(tempfile.mkdtemp(prefix="threadkeep-pgvector-"))
    # The server's user need not be able to read where packages are installed.
    package = folder / "package"
    shutil.copytree(installed("pgvector", *_INSTALL), package)
    package.chmod(0o755)
    server = VectorServer(folder, {}, package / "pgserver" / "pginstall" / "bin")
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
