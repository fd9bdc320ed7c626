# SPDX-License-Identifier: Apache-2.0
"""A Redis or Valkey server of the tests' own, on a unix socket in a temporary directory.

It keeps nothing on disk unless told to, and is told to stop by the kernel when the tests die.
"""

from __future__ import annotations

import itertools
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis


def _program() -> str:
    found = (
        os.environ.get("THREADKEEP_REDIS_SERVER")
        or shutil.which("redis-server")
        or shutil.which("valkey-server")
    )
    assert found, "Redis is not installed: scripts/install-deps.sh tests"
    return found


class RedisServer:
    """A running server. Hands out stores that nobody else uses."""

    def __init__(self, folder: Path, program: str, *options: str, sentinel_of: int = 0) -> None:
        """With the port of a master it is a sentinel, which watches that as `mymaster`."""
        self.socket = folder / "socket"
        mode = []
        if sentinel_of:
            settings = folder / "sentinel.conf"
            settings.write_text(
                f"sentinel monitor mymaster 127.0.0.1 {sentinel_of} 1\n"
                "sentinel down-after-milliseconds mymaster 500\n"
                "sentinel failover-timeout mymaster 5000\n"
            )
            mode = [str(settings), "--sentinel"]
        self._numbers = itertools.count(1)
        self._log = folder / "log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig=KILL", program, *mode, "--port", "0", "--save", ""]
                + ["--unixsocket", str(self.socket), "--dir", str(folder), *options],
                stdout=log,
                stderr=log,
            )
        self._wait()

    def _wait(self) -> None:
        end = time.monotonic() + 60
        while time.monotonic() < end and self._process.poll() is None:
            with socket.socket(socket.AF_UNIX) as probe:
                if probe.connect_ex(str(self.socket)) == 0:
                    return
            time.sleep(0.01)
        raise RuntimeError("the Redis server does not start:\n" + self._log.read_text())

    def threadkeep_url(self, *parameters: str) -> str:
        """A new, empty store."""
        prefix = f"prefix=store{next(self._numbers)}"
        return f"redis+unix://{self.socket}?{'&'.join([prefix, *parameters])}"

    @property
    def pid(self) -> int:
        return self._process.pid

    def client(self, db: int = 0) -> redis.Redis:
        return redis.Redis(unix_socket_path=str(self.socket), db=db)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_redis(
    program: str | None = None, *options: str, sentinel_of: int = 0
) -> Iterator[RedisServer]:
    """The machine's own server, or the one of this program."""
    with tempfile.TemporaryDirectory(prefix="threadkeep-redis-") as folder:
        server = RedisServer(Path(folder), program or _program(), *options, sentinel_of=sentinel_of)
        try:
            yield server
        finally:
            server.stop()
