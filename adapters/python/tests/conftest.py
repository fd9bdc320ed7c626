# SPDX-License-Identifier: Apache-2.0
"""Every test that takes `url`, `store` or `saver` runs on each store under test.

Stores are named by --url (may be repeated) or THREADKEEP_TEST_URLS (separated by spaces). `TMP` in
a URL becomes a new path for each test. `postgres:` is an empty schema on a server that the tests
start. `postgres-icu:` is one with the tables of LangGraph's own saver, in a database that orders
text as a language does. `redis:` is a prefix of its own on a server that the tests start.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

import threadkeep
from postgres_server import BYTEWISE, ICU, PostgresServer, running_server
from redis_server import RedisServer, running_redis
from threadkeep.langgraph import ThreadkeepSaver

DEFAULT_URLS = ["memory:", "sqlite:TMP", "redis:", "postgres:", "postgres-icu:"]

# What the order of text cannot change is not run on `postgres-icu:` by default.
_ORDERED = {
    "test_conformance",
    "test_contract",
    "test_delta_history",
    "test_graphs",
    "test_legacy",
    "test_sessions",
}

# The backends that keep messages and state: a test compares this with what they say themselves.
WITH_SESSIONS = {"memory", "postgres", "redis", "sqlite"}

# The backends that have retention.
WITH_RETENTION = {"memory", "postgres", "sqlite"}


def backend_of(url: str) -> str:
    """The backend of a URL, or of one of the names above."""
    return url.split(":")[0].split("+")[0].split("-")[0].replace("postgresql", "postgres")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--url", action="append", help="a store to test; may be repeated")


def _urls(config: pytest.Config, module: str) -> list[str]:
    urls = _stores_under_test(config, module)
    if module.startswith("test_sessions"):
        return [url for url in urls if backend_of(url) in WITH_SESSIONS]
    if module == "test_ttl":
        return [url for url in urls if backend_of(url) in WITH_RETENTION]
    return urls


def _stores_under_test(config: pytest.Config, module: str) -> list[str]:
    return (
        config.getoption("--url")
        or os.environ.get("THREADKEEP_TEST_URLS", "").split()
        or [url for url in DEFAULT_URLS if url != "postgres-icu:" or module in _ORDERED]
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    urls = _urls(metafunc.config, metafunc.module.__name__)
    if "durable_url" in metafunc.fixturenames:
        # Tests with several processes need a store that these share.
        urls = [url for url in urls if not url.startswith("memory:")] or ["sqlite:TMP"]
        metafunc.parametrize("durable_url", urls, indirect=True)
    elif "url" in metafunc.fixturenames:
        metafunc.parametrize("url", urls, indirect=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    with running_server() as server:
        yield server


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    with running_redis() as server:
        yield server


def _fresh(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    template: str = request.param
    if template == "redis:":
        redis: RedisServer = request.getfixturevalue("redis_server")
        return redis.threadkeep_url()
    if template not in ("postgres:", "postgres-icu:"):
        return template.replace("TMP", str(tmp_path / "store.db"))
    server: PostgresServer = request.getfixturevalue("postgres_server")
    database, adopted = (BYTEWISE, False) if template == "postgres:" else (ICU, True)
    return server.threadkeep_url(database, server.schema(database, adopted=adopted))


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return _fresh(request, tmp_path)


@pytest.fixture
def durable_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return _fresh(request, tmp_path)


@pytest.fixture
def store(url: str) -> Iterator[threadkeep.Store]:
    with threadkeep.open(url) as opened:
        yield opened


@pytest.fixture
def saver(store: threadkeep.Store) -> ThreadkeepSaver:
    return ThreadkeepSaver(store)


@pytest.fixture
def thread() -> str:
    return f"thread-{uuid.uuid4()}"
