# SPDX-License-Identifier: Apache-2.0
"""The option `ttl` of the saver: policies, and sweeps beside agents."""

from __future__ import annotations

import asyncio
import copy
import gc
import logging
import operator
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.graph import START, StateGraph

import threadkeep
from helpers import config_of, put_chain
from test_processes import finish, python
from threadkeep import ConflictError, InvalidArgumentError, Retention
from threadkeep.langgraph import ThreadkeepSaver
from threadkeep.langgraph.ttl import TtlOptions

SECOND = 1 / 60
BRIEF = {"default_ttl": 3 * SECOND, "sweep_interval_minutes": SECOND}
NOT_SWEPT = {"default_ttl": 60, "sweep_interval_minutes": 0}


class State(TypedDict, total=False):
    log: Annotated[list[int], operator.add]


def build(saver: ThreadkeepSaver) -> Any:
    graph = StateGraph(State)
    graph.add_node("rest", lambda state: {})
    graph.add_edge(START, "rest")
    return graph.compile(checkpointer=saver)


def wait_until(holds: Callable[[], bool], seconds: float = 60) -> None:
    give_up = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < give_up
        time.sleep(0.05)


def sweepers() -> int:
    return sum(thread.name == "threadkeep-sweeper" for thread in threading.enumerate())


# What is given


@pytest.mark.parametrize(
    ("given", "policy", "interval", "limit"),
    [
        ({"default_ttl": 60}, {"idle": "3600s"}, 300, 1000),
        ({"default_ttl": 0.5, "refresh_on_read": False}, {"idle": "30s"}, 300, 1000),
        ({"default_ttl": None, "sweep_limit": None}, None, 300, 1000),
        ({"default_ttl": 0, "sweep_interval_minutes": 0}, None, 0, 1000),
        (
            {
                "strategy": "keep_latest",
                "default_ttl": 43200,
                "sweep_interval_minutes": 10,
                "sweep_limit": 50,
            },
            {"age": "2592000s"},
            600,
            50,
        ),
        ({"strategy": "delete", "default_ttl": 1.0}, {"idle": "60s"}, 300, 1000),
    ],
)
def test_both_forms_of_the_option_become_one_policy(
    given: dict[str, Any], policy: dict[str, Any] | None, interval: float, limit: int
) -> None:
    options = TtlOptions.read(given)
    assert options.policies == ([{"name": "ttl", **policy}] if policy else [])
    assert (options.interval, options.limit) == (interval, limit)
    assert not options.refreshes


def test_reading_counts_only_where_it_is_asked_for() -> None:
    assert TtlOptions.read({"default_ttl": 1, "refresh_on_read": True}).refreshes
    assert not TtlOptions.read({"default_ttl": None, "refresh_on_read": True}).refreshes


def test_all_problems_are_named_at_once_and_nothing_is_opened(tmp_path: Any) -> None:
    bad = {
        "default_ttl": -1,
        "refresh_on_read": "yes",
        "strategy": "archive",
        "sweep_interval_minutes": "5",
        "sweep_limit": 0,
        "ttl_minutes": 60,
    }
    with pytest.raises(ValueError) as caught:
        ThreadkeepSaver(f"sqlite:{tmp_path}/store.db", ttl=bad)
    assert isinstance(caught.value, InvalidArgumentError)
    for key in bad:
        assert f"ttl[{key!r}]" in str(caught.value)
    assert "not -1" in str(caught.value) and "'delete' or 'keep_latest'" in str(caught.value)
    assert not (tmp_path / "store.db").exists()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "is missing; write minutes, or None"),
        ({"default_ttl": float("nan")}, "not nan"),
        ({"default_ttl": float("inf")}, "not inf"),
        ({"default_ttl": True}, "not True"),
        ({"default_ttl": 1e9}, "up to|to 100 years"),
        ({"default_ttl": 0.001}, "less than a second"),
        ({"default_ttl": 1, "sweep_limit": 1.5}, "not 1.5"),
        ({"default_ttl": 1, "strategy": ["delete"]}, "keep_latest"),
        ({"default_ttl": 1, "strategy": "keep_latest", "refresh_on_read": True}, "leave it out"),
        ({"default_ttl": 1, 7: 1}, "unknown"),
        (60, "must be a dict"),
    ],
)
def test_what_cannot_be_meant_is_refused(given: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ThreadkeepSaver("memory:", ttl=given)


# What goes


def test_an_idle_thread_goes_and_a_live_one_stays(url: str) -> None:
    with ThreadkeepSaver.from_conn_string(url, ttl=BRIEF) as saver:
        agent, turns = build(saver), 0
        agent.invoke({"log": [0]}, config_of("old"))
        last = time.monotonic()

        def old_is_gone() -> bool:
            nonlocal last, turns
            late = time.monotonic() - last > 1.5
            state = agent.invoke({"log": [turns]}, config_of("live"))
            # Where this machine slept for long it may have gone, and begun anew.
            assert late or state["log"] == list(range(state["log"][0], turns + 1))
            last, turns = time.monotonic(), turns + 1
            return saver.get_tuple(config_of("old")) is None

        wait_until(old_is_gone)
        assert [thread.thread_id for thread in saver.threads()] == ["live"]
        assert agent.invoke({"log": [7]}, config_of("old"))["log"] == [7]


def age(path: Any, minutes: int) -> None:
    """As if nothing had been stored since then."""
    with sqlite3.connect(path, timeout=60) as file:
        file.execute(
            "UPDATE threadkeep_threads SET updated_at = unixepoch() * 1000000 - ?",
            (minutes * 60_000_000,),
        )
        file.execute(
            "UPDATE checkpoints SET checkpoint = json_set(checkpoint, '$.ts', "
            "strftime('%Y-%m-%dT%H:%M:%S+00:00', 'now', ?))",
            (f"-{minutes} minutes",),
        )
    file.close()


def written_lately(path: Any) -> list[str]:
    with sqlite3.connect(path, timeout=60) as file:
        rows = file.execute(
            "SELECT thread_id FROM threadkeep_threads "
            "WHERE updated_at > (unixepoch() - 600) * 1000000 ORDER BY thread_id"
        ).fetchall()
    file.close()
    return [row[0] for row in rows]


@pytest.mark.parametrize(
    ("refresh", "minutes", "renewed"),
    [(True, 40, ["aread", "read"]), (True, 20, []), (False, 40, [])],
)
def test_a_thread_that_is_read_is_renewed_when_half_of_its_time_is_over(
    tmp_path: Any, refresh: bool, minutes: int, renewed: list[str]
) -> None:
    path = tmp_path / "store.db"
    with ThreadkeepSaver(f"sqlite:{path}", ttl={**NOT_SWEPT, "refresh_on_read": refresh}) as saver:
        agent = build(saver)
        for name in ("aread", "listed", "read"):
            agent.invoke({"log": [0]}, config_of(name))
        age(path, minutes)
        assert agent.get_state(config_of("read")).values == {"log": [0]}
        assert asyncio.run(agent.aget_state(config_of("aread"))).values == {"log": [0]}
        assert list(saver.list(config_of("listed")))
        assert saver.get_tuple(config_of("absent")) is None
        assert written_lately(path) == renewed


def test_threads_are_refreshed_on_every_store(url: str) -> None:
    with ThreadkeepSaver(url) as saver:
        put_chain(saver, "ada", 1)
        retention = Retention(saver.store)
        retention.apply([{"name": "short", "idle": "1s"}])
        wait_until(lambda: retention.refresh(["ada", "absent"]) == 1)
        retention.apply([{"name": "long", "idle": "7d"}])
        assert retention.refresh(["ada"]) == 0
        assert retention.refresh([]) == 0


def test_a_read_goes_well_where_the_thread_cannot_be_refreshed(
    tmp_path: Any, caplog: pytest.LogCaptureFixture
) -> None:
    ttl = {**NOT_SWEPT, "refresh_on_read": True}
    with ThreadkeepSaver(f"sqlite:{tmp_path}/store.db", ttl=ttl) as saver:
        build(saver).invoke({"log": [1]}, config_of("ada"))
        with sqlite3.connect(tmp_path / "store.db", timeout=60) as file:
            file.execute("DROP TABLE threadkeep_modules")
        file.close()
        assert saver.get_tuple(config_of("ada")) is not None
        assert "could not be refreshed" in caplog.text


def test_keep_latest_keeps_the_latest_of_each_namespace(url: str) -> None:
    with ThreadkeepSaver(url, ttl={"strategy": "keep_latest", **BRIEF}) as saver:
        agent = build(saver)
        for turn in range(3):
            agent.invoke({"log": [turn]}, config_of("ada"))
        put_chain(saver, "ada", 3, ns="child")
        wait_until(lambda: len(list(saver.list({"configurable": {"thread_id": "ada"}}))) == 2)
        assert agent.get_state(config_of("ada")).values == {"log": [0, 1, 2]}
        assert saver.get_tuple(config_of("ada", ns="child")) is not None
        assert agent.invoke({"log": [3]}, config_of("ada"))["log"] == [0, 1, 2, 3]


async def test_threads_go_beside_an_asyncio_program(url: str) -> None:
    async with ThreadkeepSaver(url, ttl=BRIEF) as saver:
        agent = build(saver)
        await agent.ainvoke({"log": [1]}, config_of("old"))
        give_up = time.monotonic() + 60
        while await saver.aget_tuple(config_of("old")) is not None:
            assert time.monotonic() < give_up
            await agent.ainvoke({"log": [1]}, config_of("live"))
        assert sweepers() == 1
    assert sweepers() == 0


def test_a_sweep_ends_at_its_limit_of_threads_and_the_next_goes_on(url: str) -> None:
    with ThreadkeepSaver(url) as saver:
        for name in "abc":
            put_chain(saver, name, 2)
        retention = Retention(saver.store)
        retention.apply([{"name": "short", "idle": "1s"}])
        wait_until(lambda: sum(due.threads for due in retention.preview()) == 3)
        for left in (["b", "c"], ["c"]):
            swept = retention.sweep(max_threads=1, batch_size=1)
            assert swept is not None and (swept.threads, swept.finished) == (1, False)
            assert [thread.thread_id for thread in saver.threads()] == left
        swept = retention.sweep()
        assert swept is not None and (swept.threads, swept.finished) == (1, True)
        assert list(saver.threads()) == []


# Whose policies


def policies(store: threadkeep.Store) -> list[tuple[str, str]]:
    return [(each["name"], each["idle"]) for each in Retention(store).policies()]


def test_the_same_option_again_changes_nothing(url: str) -> None:
    with threadkeep.open(url) as store:
        for _ in range(2):
            with ThreadkeepSaver(store, ttl=NOT_SWEPT):
                assert policies(store) == [("ttl", "1h")]


def test_another_option_replaces_that_of_before_and_says_so(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with threadkeep.open(url) as store:
        ThreadkeepSaver(store, ttl=NOT_SWEPT)
        ThreadkeepSaver(store, ttl={**NOT_SWEPT, "default_ttl": 120})
        assert policies(store) == [("ttl", "2h")]
        (record,) = [each for each in caplog.records if each.name == "threadkeep.retention"]
        assert record.levelno == logging.WARNING and "'1h'" in record.getMessage()
        ThreadkeepSaver(store, ttl={**NOT_SWEPT, "default_ttl": None})
        assert policies(store) == []


def test_policies_of_an_operator_are_never_replaced(url: str) -> None:
    with threadkeep.open(url) as store:
        retention = Retention(store)
        retention.apply([{"name": "trials", "threads": "trial-*", "idle": "7d"}])
        with pytest.raises(ConflictError, match="policies of its own \\(trials\\)"):
            ThreadkeepSaver(store, ttl=NOT_SWEPT)
        ThreadkeepSaver(store, ttl={**NOT_SWEPT, "default_ttl": None})
        assert policies(store) == [("trials", "7d")]
        assert sweepers() == 0
        same = {"name": "ttl", "idle": "60m"}
        retention.apply([{"name": "trials", "threads": "trial-*", "idle": "7d"}, same])
        ThreadkeepSaver(store, ttl=NOT_SWEPT)
        assert policies(store) == [("trials", "7d"), ("ttl", "1h")]
        with pytest.raises(ConflictError):
            ThreadkeepSaver(store, ttl={**NOT_SWEPT, "default_ttl": 1})


# The thread that sweeps


def test_the_sweeper_ends_with_its_saver(url: str) -> None:
    saver = ThreadkeepSaver(url, ttl={"default_ttl": 60})
    assert sweepers() == 1
    saver.close()
    saver.close()
    assert sweepers() == 0
    with threadkeep.open(url) as store:
        shared = ThreadkeepSaver(store, ttl={"default_ttl": 60})
        copied = copy.copy(shared)
        del shared
        gc.collect()
        assert sweepers() == 1
        del copied
        gc.collect()
        wait_until(lambda: sweepers() == 0)
        assert store.ping().ok


def test_a_sweep_that_fails_is_logged_and_tried_again(
    tmp_path: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with ThreadkeepSaver(f"sqlite:{tmp_path}/store.db", ttl=BRIEF) as saver:
        build(saver).invoke({"log": [1]}, config_of("old"))
        with sqlite3.connect(tmp_path / "store.db", timeout=60) as file:
            file.execute("ALTER TABLE threadkeep_retention_runs RENAME TO away")
        file.close()
        wait_until(lambda: "a sweep failed and will be tried again" in caplog.text)
        assert saver.get_tuple(config_of("old")) is not None
        with sqlite3.connect(tmp_path / "store.db", timeout=60) as file:
            file.execute("ALTER TABLE away RENAME TO threadkeep_retention_runs")
        file.close()
        wait_until(lambda: saver.get_tuple(config_of("old")) is None)


AGENT = """
    import sys, time
    from threadkeep.langgraph import ThreadkeepSaver
    sys.path.insert(0, sys.argv[3])
    from test_ttl import BRIEF, build, config_of
    with ThreadkeepSaver(sys.argv[1], ttl=BRIEF) as saver:
        agent = build(saver)
        agent.invoke({"log": [0]}, config_of("old-" + sys.argv[2]))
        give_up = time.monotonic() + 60
        while any(thread.thread_id.startswith("old-") for thread in saver.threads()):
            assert time.monotonic() < give_up
            agent.invoke({"log": [1]}, config_of("live-" + sys.argv[2]))
            time.sleep(0.01)
"""


def test_processes_with_the_same_option_start_at_once(durable_url: str) -> None:
    here = os.path.dirname(__file__)
    for process in [python(AGENT, durable_url, str(number), here) for number in range(3)]:
        finish(process, 120)
    with threadkeep.open(durable_url) as store:
        assert policies(store) == [("ttl", "3s")]


def test_the_process_ends_while_a_sweeper_waits(durable_url: str) -> None:
    code = """
        import sys
        from threadkeep.langgraph import ThreadkeepSaver
        saver = ThreadkeepSaver(sys.argv[1], ttl={"default_ttl": 60})
    """
    finish(python(code, durable_url))


MANY = 600


def put_many(saver: ThreadkeepSaver) -> None:
    for number in range(MANY):
        put_chain(saver, f"old-{number}", 1)


def is_sweeping(saver: ThreadkeepSaver) -> bool:
    return len(list(saver.threads())) < MANY


def test_the_process_ends_in_the_middle_of_a_sweep(durable_url: str) -> None:
    with ThreadkeepSaver(durable_url) as saver:
        put_many(saver)
    code = """
        import sys, time
        from threadkeep.langgraph import ThreadkeepSaver
        sys.path.insert(0, sys.argv[2])
        from test_ttl import BRIEF, is_sweeping, wait_until
        saver = ThreadkeepSaver(sys.argv[1], ttl={**BRIEF, "default_ttl": 1 / 60})
        wait_until(lambda: is_sweeping(saver))
    """
    finish(python(code, durable_url, os.path.dirname(__file__)), 120)
    with threadkeep.open(durable_url) as store:
        assert Retention(store).sweep() is not None  # Its place was given up at once.


def test_closing_stops_a_sweep_which_gives_up_its_place(durable_url: str) -> None:
    with threadkeep.open(durable_url) as store:
        with ThreadkeepSaver(store, ttl={**BRIEF, "default_ttl": SECOND}) as saver:
            put_many(saver)
            wait_until(lambda: is_sweeping(saver))
        assert sweepers() == 0
        assert Retention(store).sweep() is not None
        wait_until(lambda: bool(Retention(store).sweep()) and not list(store.threads()))


def test_a_forked_process_leaves_the_sweeper_to_its_parent(durable_url: str) -> None:
    code = """
        import os, sys, threading, time
        from threadkeep import UnsupportedError
        from threadkeep.langgraph import ThreadkeepSaver
        sys.path.insert(0, sys.argv[2])
        from test_ttl import BRIEF, build, config_of
        saver = ThreadkeepSaver(sys.argv[1], ttl=BRIEF)
        build(saver).invoke({"log": [0]}, config_of("old"))
        child = os.fork()
        if child == 0:
            try:
                saver.close()
            except UnsupportedError:
                del saver
                sys.exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        give_up = time.monotonic() + 60
        while saver.get_tuple(config_of("old")) is not None:
            assert time.monotonic() < give_up
            time.sleep(0.05)
    """
    finish(python(code, durable_url, os.path.dirname(__file__)), 120)
