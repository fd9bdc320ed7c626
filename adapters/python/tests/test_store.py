# SPDX-License-Identifier: Apache-2.0
"""Stores and errors as Python sees them."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.metadata
import pickle
import sqlite3
import threading
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

import threadkeep
from conftest import WITH_SESSIONS, backend_of
from helpers import config_of, new_checkpoint, put
from threadkeep import _native, errors
from threadkeep.langgraph import ThreadkeepSaver, checkpointer


def test_version() -> None:
    assert threadkeep.__version__ == importlib.metadata.version("threadkeep")


def test_every_code_has_its_class() -> None:
    codes = {kind.code for kind in threadkeep.Error.__subclasses__()}
    assert codes == set(errors._BY_CODE) and len(codes) == 12
    for code, kind in errors._BY_CODE.items():
        assert kind.code == code
        error = kind("put: it failed")
        error.native, error.retry_safe = "5", True
        assert str(error) == "put: it failed" and error.args == ("put: it failed",)
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is kind and vars(again) == vars(error) and str(again) == str(error)


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (threadkeep.InvalidArgumentError, ValueError),
        (threadkeep.UnavailableError, ConnectionError),
        (threadkeep.DeadlineError, TimeoutError),
        (threadkeep.DeniedError, PermissionError),
        (threadkeep.NoSpaceError, OSError),
    ],
)
def test_errors_are_pythons_own_too(kind: type[Exception], builtin: type[Exception]) -> None:
    with pytest.raises(builtin, match="text"):
        raise kind("text")


def test_errors_of_a_call_name_it(store: threadkeep.Store) -> None:
    with pytest.raises(threadkeep.InvalidArgumentError) as caught:
        store.call(_native.put("", "", "c", None, "no json", "{}", []), 30)
    assert caught.value.operation == "put" and not caught.value.retry_safe
    assert "no json" not in str(caught.value)


@pytest.mark.parametrize("bad", ["", "nowhere:", "no url", "memory:?unknown=1", "sqlite:"])
def test_bad_urls(bad: str) -> None:
    with pytest.raises(threadkeep.InvalidArgumentError):
        threadkeep.open(bad)


def test_a_file_that_is_no_store(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_text("this is not a database, and long enough to be read as one" * 100)
    with pytest.raises(threadkeep.Error) as caught:
        ThreadkeepSaver(f"sqlite:{path}").get_tuple(config_of("t"))
    assert isinstance(caught.value, threadkeep.CorruptError) and caught.value.native


def test_bad_timeouts(store: threadkeep.Store) -> None:
    for bad in (-1, float("nan"), "1"):
        with pytest.raises(ValueError, match="timeout"):
            threadkeep.open("memory:", timeout=bad)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="timeout"):
            ThreadkeepSaver(store, timeout=bad)  # type: ignore[arg-type]
    for good in (None, 1e300, 5, 0.5):
        assert threadkeep.open("memory:", timeout=good).ping().ok
    for bad in (-1, float("nan")):
        with pytest.raises(ValueError, match="timeout"):
            store.call(_native.ping(), bad)


async def test_setup_has_a_time_limit_of_its_own(durable_url: str) -> None:
    with ThreadkeepSaver(durable_url, timeout=0) as saver:
        for late in (saver.setup, saver.store.setup):
            with pytest.raises(threadkeep.DeadlineError):
                late(timeout=0)
        with pytest.raises(ValueError, match="timeout"):
            saver.setup(timeout=-1)
        with pytest.raises(threadkeep.DeadlineError):
            saver.get_tuple(config_of("t"))
        saver.setup()
        await saver.asetup(timeout=None)


async def test_ping_and_capabilities(store: threadkeep.Store, url: str) -> None:
    assert store.ping().ok and (await store.aping()).ok
    assert not store.ping().degraded
    assert store.capabilities.name == backend_of(url)
    assert store.capabilities.max_value_bytes >= 128 * 1024 * 1024
    await store.asetup()


def test_which_stores_keep_messages(store: threadkeep.Store, thread: str) -> None:
    sessions = threadkeep.SessionStore(store)
    assert store.capabilities.sessions == (store.capabilities.name in WITH_SESSIONS)
    if store.capabilities.sessions:
        assert sessions.count(thread) == 0
    else:
        with pytest.raises(threadkeep.UnsupportedError):
            sessions.count(thread)


def test_a_closed_store_says_so(store: threadkeep.Store) -> None:
    store.close()
    store.close()
    with pytest.raises(threadkeep.InvalidArgumentError, match="closed"):
        store.ping()


def test_a_request_can_be_made_once(store: threadkeep.Store) -> None:
    request = _native.ping()
    store.call(request, 30)
    with pytest.raises(threadkeep.InvalidArgumentError, match="once"):
        store.call(request, 30)


def test_wrong_types_are_named(store: threadkeep.Store) -> None:
    row = ("c", "v", "t")
    with pytest.raises(ValueError, match="thread_id must be a str, not int"):
        _native.put(1, "", "c", None, "{}", "{}", [])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="payload must be bytes.*str"):
        _native.put("t", "", "c", None, "{}", "{}", [(*row, "text")])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="idx"):
        _native.put_writes("t", "", "c", "t", "", [(2**40, "c", "t", b"")])
    with pytest.raises(ValueError, match="lone surrogate"):
        _native.delete_thread("\ud800")
    view = memoryview(b"abc")
    _native.put("t", "", "c", None, "{}", "{}", [(*row, view)])  # type: ignore[list-item]


async def test_thread_metadata(store: threadkeep.Store, thread: str) -> None:
    store.put_thread(thread, {"title": "a", "tags": ["x"]})
    await store.aput_thread(thread, {"title": "b"})
    (found,) = [info for info in store.threads() if info.thread_id == thread]
    assert found.metadata == {"title": "b"} and found.revision >= 2
    now = datetime.now(timezone.utc)
    assert now - timedelta(minutes=2) < found.created_at <= now + timedelta(minutes=1)
    with pytest.raises(ValueError, match="metadata"):
        store.put_thread(thread, {"bad": float("nan")})


def test_threads_are_listed_page_by_page(store: threadkeep.Store, thread: str) -> None:
    for number in range(120):
        store.put_thread(f"{thread}-{number:03}", {"n": number % 2})
    mine = [info.thread_id for info in store.threads() if info.thread_id.startswith(thread)]
    assert mine == [f"{thread}-{number:03}" for number in range(120)]
    assert len(list(store.threads(filter={"n": 1}, limit=55))) == 55


def test_the_gil_is_released(durable_url: str) -> None:
    """Another thread of Python goes on while a call waits for the disk."""
    with ThreadkeepSaver(durable_url) as saver:
        payload, ticks, running = b"x" * 50_000_000, 0, True

        def tick() -> None:
            nonlocal ticks
            while running:
                ticks += 1
                time.sleep(0.001)

        thread = threading.Thread(target=tick)
        thread.start()
        before, begin = ticks, time.monotonic()
        put(saver, config_of("t"), new_checkpoint({"c": payload}))
        elapsed, during = time.monotonic() - begin, ticks - before
        running = False
        thread.join()
    assert during > elapsed / 0.1, f"{during} ticks in {elapsed:.3f} s"


async def test_the_factory_for_servers(durable_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THREADKEEP_URL", durable_url)
    async with checkpointer() as saver:
        put(saver, config_of("t"), new_checkpoint())
        assert await saver.aget_tuple(config_of("t")) is not None
    with pytest.raises(ValueError, match="closed"):
        saver.get_tuple(config_of("t"))
    monkeypatch.delenv("THREADKEEP_URL")
    with pytest.raises(ValueError, match="THREADKEEP_URL"):
        async with checkpointer():
            pass


def break_text(path: Path, thread: str) -> None:
    """Another program writes metadata that is no UTF-8."""
    with contextlib.closing(sqlite3.connect(path)) as file:
        file.execute(
            "UPDATE checkpoints SET metadata = CAST(X'7B2261223A22FF227D' AS TEXT)"
            " WHERE thread_id = ?",
            (thread,),
        )
        file.commit()


async def test_text_that_is_no_utf8_ends_its_own_call_only(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with ThreadkeepSaver(f"sqlite:{path}") as saver:
        for name in ("good", "bad"):
            put(saver, config_of(name), new_checkpoint({"c": name}))
        break_text(path, "bad")
        with pytest.raises(threadkeep.CorruptError, match="UTF-8"):
            saver.get_tuple(config_of("bad"))
        calls = [saver.aget_tuple(config_of(name)) for name in ("good", "bad") * 20]
        results = await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), 20)
        for good, bad in zip(results[::2], results[1::2], strict=True):
            assert isinstance(good, tuple) and good.checkpoint["channel_values"] == {"c": "good"}
            assert isinstance(bad, threadkeep.CorruptError)


def test_what_a_saver_is_made_of() -> None:
    wanted = "store must be a URL such as 'sqlite:agent.db' or a threadkeep.Store, not "
    for bad in (Path("agent.db"), None, 5, b"memory:"):
        with pytest.raises(threadkeep.InvalidArgumentError) as caught:
            ThreadkeepSaver(bad)  # type: ignore[arg-type]
        assert str(caught.value) == wanted + type(bad).__name__


async def test_bad_arguments_of_threads_are_named(store: threadkeep.Store) -> None:
    for bad in ([1], None, "text"):
        with pytest.raises(threadkeep.InvalidArgumentError, match="^metadata must be a dict"):
            store.put_thread("t", bad)  # type: ignore[arg-type]
        with pytest.raises(threadkeep.InvalidArgumentError, match="^metadata must be a dict"):
            await store.aput_thread("t", bad)  # type: ignore[arg-type]
    with pytest.raises(threadkeep.InvalidArgumentError, match="^thread_id"):
        store.put_thread(None, {})  # type: ignore[arg-type]
    for listing in (store.threads, store.athreads):
        with pytest.raises(threadkeep.InvalidArgumentError, match="^limit"):
            listing(limit=-1)  # Not only when it is read.
        with pytest.raises(threadkeep.InvalidArgumentError, match="^filter must be a dict"):
            listing(filter=["x"])  # type: ignore[arg-type]
