# SPDX-License-Identifier: Apache-2.0
"""Wrong types and hostile values through every door: an error that names the field, and nothing
stored."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

import threadkeep
from helpers import config_of, new_checkpoint, put
from threadkeep import InvalidArgumentError, NewMessage, SessionStore, StateChange, StateScope
from threadkeep.langgraph import ThreadkeepSaver
from threadkeep.retention import Retention

TASK = "00000000-0000-0000-0000-000000000001"


class NoText:
    def __str__(self) -> str:
        raise RuntimeError("no text of me")

    __repr__ = __str__

    def __reduce__(self) -> Any:
        raise RuntimeError("no copy of me")


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    return value


def each(name: str, values: list[Any]) -> pytest.MarkDecorator:
    """A test for each value, named by its place: some have no text."""
    kinds = [f"{place}-{type(value).__name__}" for place, value in enumerate(values)]
    return pytest.mark.parametrize(name, values, ids=kinds)


def nothing_is_stored(saver: ThreadkeepSaver) -> bool:
    return list(saver.list(None)) == [] and list(saver.threads()) == []


NO_IDS: list[Any] = [
    *(b"bytes", bytearray(b"x"), ["t"], ("t",), {"t": 1}, {"t"}, float("nan"), NoText()),
]
LONG = "x" * 100_000


@each("bad", NO_IDS)
async def test_what_is_no_id_is_refused_by_name(store: threadkeep.Store, bad: Any) -> None:
    """Each has a text, which nobody means: "b'bytes'" would be another thread than "bytes"."""
    saver, chat = ThreadkeepSaver(store), SessionStore(store)
    calls: list[tuple[str, Callable[[], Any]]] = [
        ("thread_id", lambda: put(saver, config_of(bad), new_checkpoint())),
        ("thread_id", lambda: saver.get_tuple(config_of(bad))),
        ("thread_id", lambda: saver.list(config_of(bad))),
        ("thread_id", lambda: saver.put_writes(config_of(bad, "1"), [("a", 1)], TASK)),
        ("thread_id", lambda: saver.delete_thread(bad)),
        ("source_thread_id", lambda: saver.copy_thread(bad, "t")),
        ("target_thread_id", lambda: saver.copy_thread("t", bad)),
        (r"thread_ids\[0\]", lambda: saver.prune([bad])),
        (r"run_ids\[0\]", lambda: saver.delete_for_runs([bad])),
        ("thread_id", lambda: store.put_thread(bad, {})),
        ("thread_id", lambda: chat.append(bad, [NewMessage(role="user", content="x")])),
        ("thread_id", lambda: Retention(store).pin(bad)),
    ]
    for field, call in calls:
        with pytest.raises(InvalidArgumentError, match=field):
            call()
    with pytest.raises(InvalidArgumentError, match="thread_id"):
        await saver.aput(config_of(bad), new_checkpoint(), {}, {})  # type: ignore[arg-type]
    with pytest.raises(InvalidArgumentError, match="thread_id"):
        await saver.aget_tuple(config_of(bad))
    assert nothing_is_stored(saver)


@each("bad", ["nul\0", "lone\ud800", LONG, 10**5000, b"t", 7.5, None])
def test_bad_texts_are_refused_wherever_they_stand(saver: ThreadkeepSaver, bad: Any) -> None:
    config, checkpoint = config_of("t", "1"), new_checkpoint({"a": 1})
    calls: list[tuple[str, Callable[[], Any]]] = [
        ("id|checkpoint", lambda: put(saver, config_of("t"), {**checkpoint, "id": bad})),
        ("task_id", lambda: saver.put_writes(config, [("a", 1)], bad)),
        ("channel", lambda: saver.put_writes(config, [(bad, 1)], TASK)),
        ("channel", lambda: put(saver, config_of("t"), new_checkpoint({bad: [1]}))),
    ]
    if bad is not None:  # None is the root, and the latest.
        calls += [
            ("checkpoint_ns", lambda: put(saver, config_of("t", ns=bad), checkpoint)),
            ("checkpoint_id", lambda: put(saver, config_of("t", bad), checkpoint)),
            ("checkpoint_id", lambda: saver.get_tuple(config_of("t", bad))),
            ("before", lambda: list(saver.list(None, before=config_of("t", bad)))),
        ]
    if bad is not LONG:
        calls += [("task_path", lambda: saver.put_writes(config, [("a", 1)], TASK, bad))]
    for field, call in calls:
        with pytest.raises(InvalidArgumentError, match=field) as refused:
            call()
        assert len(str(refused.value)) < 3000
    assert nothing_is_stored(saver)


@each("bad", [None, 1, "text", b"bytes", ["a"], object(), NoText()])
async def test_what_is_no_dict_is_refused_by_name(saver: ThreadkeepSaver, bad: Any) -> None:
    config, checkpoint = config_of("t"), new_checkpoint({"a": 1})
    calls: list[tuple[str, Callable[[], Any]]] = [
        ("config", lambda: saver.get_tuple(bad)),
        ("config", lambda: saver.put(bad, checkpoint, {}, {})),  # type: ignore[arg-type]
        ("configurable|thread_id", lambda: saver.get_tuple({"configurable": bad})),
        ("checkpoint", lambda: saver.put(config, bad, {}, {})),
        ("metadata", lambda: saver.put(config, checkpoint, bad, {})),  # type: ignore[arg-type]
        ("new_versions", lambda: saver.put(config, checkpoint, {}, bad)),  # type: ignore[arg-type]
        ("writes", lambda: saver.put_writes(config_of("t", "1"), [bad], TASK)),
    ]
    if bad is not None:
        values = {**checkpoint, "channel_values": bad}
        versions = {**checkpoint, "channel_versions": bad}
        calls += [
            ("channel_values", lambda: put(saver, config, values, new_versions={})),
            ("channel_versions", lambda: put(saver, config, versions, new_versions={})),
            ("filter", lambda: saver.list(None, filter=bad)),
            ("before", lambda: saver.list(None, before=bad)),
            ("ttl", lambda: ThreadkeepSaver("memory:", ttl=bad)),
        ]
    if bad is not None and bad != ["a"]:
        calls += [
            ("channels", lambda: saver.get_delta_channel_history(config=config, channels=bad))
        ]
    for field, call in calls:
        with pytest.raises(InvalidArgumentError, match=field):
            call()
    with pytest.raises(InvalidArgumentError, match="metadata"):
        await saver.aput(config, checkpoint, bad, {})  # type: ignore[arg-type]
    assert nothing_is_stored(saver)


def test_a_checkpoint_without_an_id_is_refused(saver: ThreadkeepSaver) -> None:
    for bad in ({}, {"v": 4}, {**new_checkpoint(), "id": None}):
        with pytest.raises(InvalidArgumentError, match=r"checkpoint\['id'\] is missing"):
            saver.put(config_of("t"), bad, {}, {})  # type: ignore[arg-type]
    assert nothing_is_stored(saver)


@each("bad", [object(), [1], {"a": 1}, {1}, b"1", NoText()])
def test_a_version_that_is_none_is_refused(saver: ThreadkeepSaver, bad: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="version"):
        put(saver, config_of("t"), new_checkpoint({"a": ["x"]}, version=bad))
    assert nothing_is_stored(saver)


@each("levels", [501, 900, 5000, 200_000])
async def test_what_is_nested_too_deeply_is_refused_at_once(
    store: threadkeep.Store, levels: int
) -> None:
    saver, chat, value = ThreadkeepSaver(store), SessionStore(store), deep(levels)
    started = time.process_time()
    calls: list[tuple[str, Callable[[], Any]]] = [
        ("metadata", lambda: put(saver, config_of("t"), new_checkpoint(), {"m": value})),
        ("checkpoint|document", lambda: put(saver, config_of("t"), new_checkpoint(extra=value))),
        ("filter", lambda: list(saver.list(None, filter={"m": value}))),
        ("metadata", lambda: store.put_thread("t", {"m": value})),
        ("content", lambda: chat.append("t", [NewMessage(role="user", content=value)])),
        (
            "state",
            lambda: chat.change_state(StateScope.of_thread("t"), [StateChange.put("k", value)]),
        ),
    ]
    for field, call in calls:
        with pytest.raises(
            InvalidArgumentError, match=f"({field}).* (deeper|too deeply)"
        ) as refused:
            call()
        assert len(str(refused.value)) < 3000
    assert time.process_time() - started < 30  # It took the square of the depth once.
    assert nothing_is_stored(saver)


def test_messages_do_not_repeat_what_they_refuse(saver: ThreadkeepSaver) -> None:
    long = "k" * 5_000_000
    calls: list[Callable[[], Any]] = [
        lambda: put(saver, config_of("t"), new_checkpoint(), {long: object()}),
        lambda: put(saver, config_of("t"), new_checkpoint(), {long: float("nan")}),
        lambda: put(saver, config_of("t"), new_checkpoint(), {"a": [{long: "\ud800"}]}),
        lambda: list(saver.list(None, filter={long: object()})),
        lambda: list(saver.list(None, filter={long: float("nan")})),
        lambda: saver.prune(long),
        lambda: threadkeep.open("memory:?" + long),
        lambda: threadkeep.open(long),
    ]
    for call in calls:
        with pytest.raises(InvalidArgumentError) as refused:
            call()
        assert len(str(refused.value)) < 3000
    assert nothing_is_stored(saver)


def test_oversized_metadata_is_stored_whole_or_refused(saver: ThreadkeepSaver) -> None:
    metadata = {"text": "x" * (10 << 20), "many": {str(i): i for i in range(100_000)}}
    config = put(saver, config_of("t"), new_checkpoint(), metadata)
    found = saver.get_tuple(config)
    assert found is not None and found.metadata == metadata


def test_a_million_channels_are_refused(saver: ThreadkeepSaver) -> None:
    """Whether their values come with the checkpoint or not, and as writes of one task."""
    channels = [f"c{i}" for i in range(1_000_000)]
    versions = dict.fromkeys(channels, "1")
    checkpoint = {**new_checkpoint(), "channel_versions": versions}
    with pytest.raises(InvalidArgumentError, match="1000000 entries; at most 100000"):
        saver.put(config_of("t"), checkpoint, {}, {})  # type: ignore[arg-type]
    checkpoint["channel_values"] = dict.fromkeys(channels, 0)
    with pytest.raises(InvalidArgumentError, match="entries; at most 100000"):
        saver.put(config_of("t"), checkpoint, {}, versions)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgumentError, match="1000000 entries; at most 100000"):
        saver.put_writes(config_of("t", "1"), [(channel, 0) for channel in channels], TASK)
    assert nothing_is_stored(saver)


@each("bad", [1, None, b"memory:", "memory:\ud800", "memory:\0", "", "x", NoText()])
def test_an_address_that_is_none_is_refused(bad: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="url|URL|store"):
        threadkeep.open(bad)
    with pytest.raises(InvalidArgumentError, match="url|URL|store"):
        ThreadkeepSaver(bad)


@each("bad", [-1, float("nan"), "1", b"1", object(), NoText(), True])
def test_a_timeout_that_is_none_is_refused(bad: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="timeout"):
        threadkeep.open("memory:", timeout=bad)
    with pytest.raises(InvalidArgumentError, match="timeout"):
        ThreadkeepSaver("memory:", timeout=bad)


@each("timeout", [float("inf"), 10**400, 1e308])
def test_a_long_timeout_is_for_ever(timeout: Any) -> None:
    with threadkeep.open("memory:", timeout=timeout) as store:
        assert store.ping().ok


def test_a_filter_has_no_operators(saver: ThreadkeepSaver) -> None:
    """What other stores read as a command is a value here."""
    put(saver, config_of("t"), new_checkpoint(), {"step": 1, "odd": {"$gt": 0}})
    for filter in ({"step": {"$gt": 0}}, {"$or": [{"step": 1}]}, {"step' OR '1'='1": 1}):
        assert list(saver.list(None, filter=filter)) == []
    assert len(list(saver.list(None, filter={"odd": {"$gt": 0}}))) == 1


def test_too_many_conditions_are_refused(saver: ThreadkeepSaver) -> None:
    with pytest.raises(InvalidArgumentError, match="at most 1000"):
        list(saver.list(None, filter={f"k{i}": i for i in range(1001)}))
    assert list(saver.list(None, filter={f"k{i}": i for i in range(1000)})) == []
