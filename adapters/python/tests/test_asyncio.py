# SPDX-License-Identifier: Apache-2.0
"""Event loops: several, closed ones, order, cancellation, and what they leave behind."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import sqlite3
import threading
import time
import weakref
from pathlib import Path
from typing import Any

import pytest

import threadkeep
from helpers import config_of, id_of, new_checkpoint, put, values_of
from threadkeep import _asyncio, _native
from threadkeep.langgraph import ThreadkeepSaver


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


async def aput(saver: ThreadkeepSaver, thread: str, value: Any) -> Any:
    checkpoint = new_checkpoint({"c": value})
    return await saver.aput(config_of(thread), checkpoint, {}, checkpoint["channel_versions"])


def test_one_saver_on_loops_that_come_and_go(saver: ThreadkeepSaver, thread: str) -> None:
    asyncio.run(aput(saver, thread, -1))
    before = open_files()
    for number in range(20):
        asyncio.run(aput(saver, thread, number))
        found = asyncio.run(saver.aget_tuple(config_of(thread)))
        assert found is not None and found.checkpoint["channel_values"] == {"c": number}
    assert values_of(saver, config_of(thread)) == {"c": 19}
    gc.collect()
    assert open_files() < before + 10  # 40 loops; the store may open a few connections more.


def test_two_loops_at_the_same_time(saver: ThreadkeepSaver, thread: str) -> None:
    both_run = threading.Barrier(3)
    results: dict[int, list[Any]] = {}

    async def work(number: int) -> list[Any]:
        both_run.wait(10)
        configs = [await aput(saver, f"{thread}-{number}", value) for value in range(50)]
        found = await asyncio.gather(*(saver.aget_tuple(config) for config in configs))
        return [each.checkpoint["channel_values"]["c"] for each in found if each]

    def in_own_loop(number: int) -> None:
        results[number] = asyncio.run(work(number))

    threads = [threading.Thread(target=in_own_loop, args=(n,)) for n in range(2)]
    for each in threads:
        each.start()
    both_run.wait(10)
    for number in range(50):  # Blocking calls beside them.
        put(saver, config_of(f"{thread}-sync"), new_checkpoint({"c": number}))
    for each in threads:
        each.join(60)
    assert results == {0: list(range(50)), 1: list(range(50))}


async def test_a_loop_is_not_kept_alive(store: threadkeep.Store) -> None:
    def use_a_loop() -> weakref.ref[asyncio.AbstractEventLoop]:
        loop = asyncio.new_event_loop()
        loop.run_until_complete(store.aping())
        loop.close()
        return weakref.ref(loop)

    gone = await asyncio.to_thread(use_a_loop)
    gc.collect()
    assert gone() is None


def test_a_closed_loop_has_no_queue(durable_url: str) -> None:
    """Its descriptor is given back when the next loop comes, even while someone holds it."""
    with threadkeep.open(durable_url) as store:
        closed = asyncio.new_event_loop()
        closed.run_until_complete(store.aping())
        closed.close()
        assert closed in _asyncio._queues
        asyncio.run(store.aping())
        assert closed not in _asyncio._queues


async def test_the_loop_is_not_blocked(durable_url: str, thread: str) -> None:
    """While a store waits for its disk, the loop goes on."""
    with threadkeep.open(durable_url) as store:
        saver = ThreadkeepSaver(store)
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0)

        ticking = asyncio.create_task(tick())
        await aput(saver, thread, b"x" * 50_000_000)
        ticking.cancel()
        assert ticks > 10


async def test_calls_of_one_thread_keep_their_order(saver: ThreadkeepSaver, thread: str) -> None:
    first = await aput(saver, thread, 0)
    calls: list[Any] = []
    for number in range(100):
        calls.append(saver.aput_writes(first, [("c", number)], f"task-{number:03}"))
        calls.append(saver.aget_tuple(first))
    # gather starts them in order.
    results = await asyncio.gather(*calls)
    seen = [len(found.pending_writes) for found in results[1::2]]
    assert seen == list(range(1, 101))


async def test_a_burst_wakes_the_loop_rarely(
    durable_url: str, thread: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    drains: list[int] = []
    real = _asyncio._LoopQueue.drain

    def spy(queue: Any) -> None:
        before = len(queue._waiting)
        real(queue)
        drains.append(before - len(queue._waiting))

    monkeypatch.setattr(_asyncio._LoopQueue, "drain", spy)
    with threadkeep.open(durable_url) as store:
        saver = ThreadkeepSaver(store)
        config = await aput(saver, thread, 0)
        drains.clear()
        calls = (saver.aput_writes(config, [("c", n)], f"task-{n}") for n in range(500))
        await asyncio.gather(*calls)
    assert sum(drains) == 500
    assert len(drains) < 250


async def test_cancelled_calls_leave_nothing(durable_url: str, thread: str) -> None:
    with threadkeep.open(durable_url) as store:
        saver = ThreadkeepSaver(store)
        await aput(saver, thread, 0)
        calls = [asyncio.create_task(aput(saver, thread, [number])) for number in range(200)]
        await asyncio.sleep(0)
        for call in calls[::2]:
            call.cancel()
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert all(isinstance(result, asyncio.CancelledError) for result in results[::2])
        assert all(isinstance(result, dict) for result in results[1::2])
        stored = [found async for found in saver.alist(config_of(thread))]
        assert 101 <= len(stored) <= 201
        queue = _asyncio._queues[asyncio.get_running_loop()]
        assert queue._waiting == {}
    assert _native.shared_payloads() == 0


async def test_a_cancelled_call_that_waits_is_not_carried_out(
    durable_url: str, thread: str
) -> None:
    with threadkeep.open(durable_url) as store:
        saver = ThreadkeepSaver(store)
        await aput(saver, thread, "first")
        slow = asyncio.create_task(aput(saver, thread, b"x" * 100_000_000))
        await asyncio.sleep(0.05)  # It is under way, and the next one has to wait for it.
        assert not slow.done()
        waits = asyncio.create_task(aput(saver, thread, "cancelled"))
        await asyncio.sleep(0)
        waits.cancel()
        await slow
        values = [found.checkpoint["channel_values"]["c"] async for found in saver.alist(None)]
        assert len(values) == 2 and "cancelled" not in values


async def test_timeouts_are_errors(durable_url: str, thread: str) -> None:
    with ThreadkeepSaver(durable_url, timeout=0) as saver:
        with pytest.raises(TimeoutError):
            await aput(saver, thread, 0)
        with pytest.raises(threadkeep.DeadlineError):
            put(saver, config_of(thread), new_checkpoint())


async def test_closing_ends_what_waits(durable_url: str, thread: str) -> None:
    saver = ThreadkeepSaver(durable_url)
    calls = [asyncio.create_task(aput(saver, thread, [number])) for number in range(500)]
    await asyncio.sleep(0)
    await saver.aclose()
    results = await asyncio.gather(*calls, return_exceptions=True)
    stored = [result for result in results if isinstance(result, dict)]
    refused = [result for result in results if isinstance(result, threadkeep.Error)]
    assert len(stored) + len(refused) == 500
    with ThreadkeepSaver(durable_url) as again:
        found = {id_of(each.config) for each in again.list(config_of(thread))}
    assert {id_of(config) for config in stored} <= found


async def test_closing_stops_what_is_under_way(tmp_path: Path) -> None:
    """Another program holds the file, so the call would wait for long."""
    path = tmp_path / "store.db"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute("BEGIN EXCLUSIVE")
        saver = ThreadkeepSaver(f"sqlite:{path}?busy=10s", timeout=None)
        call = asyncio.create_task(saver.asetup())
        await asyncio.sleep(0.3)
        assert not call.done()
        begin = time.monotonic()
        await saver.aclose()
        with pytest.raises(threadkeep.CallCancelledError):
            await call
        assert time.monotonic() - begin < 5


async def test_pruning_more_threads_than_may_wait(durable_url: str) -> None:
    async with ThreadkeepSaver(durable_url) as saver:
        names = [f"thread-{number}" for number in range(12_000)]
        await aput(saver, names[-1], 0)
        await saver.aprune(names, strategy="delete")
        assert [found async for found in saver.alist(None)] == []


async def test_only_what_was_pruned_is_forgotten(saver: ThreadkeepSaver, thread: str) -> None:
    await aput(saver, thread, "x" * 300)
    stored = set(saver._seen._keys)
    assert {key[0] for key in stored} == {thread}
    with pytest.raises(threadkeep.InvalidArgumentError, match="thread_id"):
        await saver.aprune(["lone\ud800", thread])
    assert set(saver._seen._keys) == stored
    with pytest.raises(threadkeep.InvalidArgumentError, match="thread_id"):
        await saver.aprune(["", thread])  # The store refuses the first and prunes the second.
    assert not saver._seen._keys
    await aput(saver, thread, "x" * 300)
    stored = set(saver._seen._keys)
    saver.store.close()
    with pytest.raises(threadkeep.InvalidArgumentError, match="closed"):
        await saver.aprune([thread])
    assert set(saver._seen._keys) == stored


async def test_many_at_once_are_refused_or_done(durable_url: str, thread: str) -> None:
    """The queue is bounded: more than it holds end as `unavailable`, and none hangs."""
    with ThreadkeepSaver(durable_url) as saver:
        config = await aput(saver, thread, 0)
        begin = time.monotonic()
        results = await asyncio.gather(
            *(saver.aput_writes(config, [("c", n)], f"task-{n}") for n in range(12_000)),
            return_exceptions=True,
        )
        kinds = {type(result) for result in results}
        assert kinds <= {type(None), threadkeep.UnavailableError}
        assert time.monotonic() - begin < 60
        found = await saver.aget_tuple(config)
        assert found is not None and found.pending_writes is not None
        assert len(found.pending_writes) == results.count(None) >= 10_000


async def test_async_context_managers(url: str, thread: str) -> None:
    async with ThreadkeepSaver.from_conn_string(url) as saver:
        await saver.asetup()
        await aput(saver, thread, 1)
    with pytest.raises(ValueError, match="closed"):
        await saver.aget_tuple(config_of(thread))
    with ThreadkeepSaver.from_conn_string(url) as saver:
        saver.setup()
        saver.setup()
        put(saver, config_of(thread), new_checkpoint({"c": 2}))
        assert values_of(saver, config_of(thread)) == {"c": 2}
