# SPDX-License-Identifier: Apache-2.0
"""How much memory of a server a thread takes, by the savers for plain Redis that are installed.

    pip install . langgraph-checkpoint-plainredis langgraph-checkpoint-aws valkey
    python bench/redis_memory.py

A thread has 40 steps. Each adds a message of 1400 bytes to one channel, by a pending write and a
checkpoint; four channels of 8 KiB are set in the first step and stay. The server is a fresh
`redis-server` (or THREADKEEP_REDIS_SERVER) for each saver; the number is what its `used_memory`
grows by with 20 such threads, for one of them.
"""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from langgraph.checkpoint.base import BaseCheckpointSaver, empty_checkpoint
from langgraph.checkpoint.base.id import uuid6

STEPS = 40
THREADS = 20
FIXED = {f"fixed{i}": "x" * 8192 for i in range(4)}


def threadkeep(path: Path) -> BaseCheckpointSaver:
    from threadkeep.langgraph import ThreadkeepSaver

    return ThreadkeepSaver(f"redis+unix://{path}")


def plainredis(path: Path) -> BaseCheckpointSaver:
    import redis
    from langgraph_checkpoint_plainredis import RedisSaver

    return RedisSaver(redis.Redis(unix_socket_path=str(path)))


def valkey_of_langchain_aws(path: Path) -> BaseCheckpointSaver:
    from langgraph_checkpoint_aws.checkpoint.valkey.saver import ValkeySaver
    from valkey import Valkey

    return ValkeySaver(Valkey(unix_socket_path=str(path)))


SAVERS: list[Callable[[Path], BaseCheckpointSaver]] = [
    threadkeep,
    plainredis,
    valkey_of_langchain_aws,
]


@contextmanager
def server() -> Iterator[Path]:
    program = os.environ.get("THREADKEEP_REDIS_SERVER", "redis-server")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "socket"
        command = [program, "--port", "0", "--save", "", "--unixsocket", str(path)]
        process = subprocess.Popen([*command, "--dir", folder], stdout=subprocess.DEVNULL)
        try:
            while True:
                with socket.socket(socket.AF_UNIX) as probe:
                    if probe.connect_ex(str(path)) == 0:
                        break
                time.sleep(0.05)
            yield path
        finally:
            process.kill()
            process.wait()


def info(path: Path, name: str) -> int:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        connection.sendall(b"INFO everything\r\n")
        stream = connection.makefile("rb")
        text = stream.read(int(stream.readline()[1:]))
    lines = [line for line in text.decode().splitlines() if line.startswith(name + ":")]
    return int(lines[0].split(":")[1].split(",")[0].removeprefix("keys=")) if lines else 0


def run_thread(saver: BaseCheckpointSaver, thread: str) -> None:
    values: dict[str, object] = {**FIXED, "messages": []}
    versions = dict.fromkeys(values, "1")
    config = {"configurable": {"thread_id": thread, "checkpoint_ns": ""}}
    for step in range(STEPS):
        message = "x" * 1400
        values["messages"] = [*values["messages"], message]  # type: ignore[misc]
        versions = {**versions, "messages": str(step + 1)}
        checkpoint = empty_checkpoint()
        checkpoint["id"] = str(uuid6(clock_seq=step))
        checkpoint["channel_values"] = dict(values)
        checkpoint["channel_versions"] = dict(versions)
        new = versions if step == 0 else {"messages": versions["messages"]}
        metadata = {"source": "loop", "step": step, "parents": {}}
        config = saver.put(config, checkpoint, metadata, new)
        saver.put_writes(config, [("messages", [message])], f"task-{step}")
    assert saver.get_tuple(config).checkpoint["channel_values"] == values


def measure(make: Callable[[Path], BaseCheckpointSaver]) -> None:
    with server() as path:
        saver = make(path)
        run_thread(saver, "first")  # what a store has once, and what clients take
        used, keys = info(path, "used_memory"), info(path, "db0")
        for number in range(THREADS):
            run_thread(saver, f"thread-{number}")
        used, keys = info(path, "used_memory") - used, info(path, "db0") - keys
        name = make.__name__.replace("_", " ")
        print(f"{name}: {used / THREADS / 1024:.0f} KiB, {keys / THREADS:.1f} keys")


for make in SAVERS:
    try:
        measure(make)
    except ImportError as error:
        print(f"{make.__name__}: {error}")
