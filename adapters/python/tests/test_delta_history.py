# SPDX-License-Identifier: Apache-2.0
"""What rebuilds delta channels: the nearest stored value among the ancestors, and writes since."""

from __future__ import annotations

import json
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.serde.types import _DeltaSnapshot

from helpers import V1, config_of, id_of, new_checkpoint, put
from threadkeep import _native
from threadkeep.langgraph import ThreadkeepSaver


def step(
    saver: ThreadkeepSaver,
    thread: str,
    parent: RunnableConfig | None,
    number: int,
    values: dict[str, Any] | None = None,
) -> RunnableConfig:
    """A checkpoint in which all delta channels have a version, but only `values` a value."""
    checkpoint = new_checkpoint(values)
    checkpoint["channel_versions"] = {name: f"{number + 1:032}.0" for name in ("a", "b")}
    target = config_of(thread, id_of(parent) if parent else None)
    return put(saver, target, checkpoint)


def write(saver: ThreadkeepSaver, config: RunnableConfig, channel: str, value: Any) -> None:
    saver.put_writes(config, [(channel, value)], task_id=f"task-{channel}-{value}")


def written(history: Any, channel: str) -> list[Any]:
    return [value for _, _, value in history[channel]["writes"]]


def chain(
    saver: ThreadkeepSaver, thread: str, values_by_step: list[dict[str, Any] | None]
) -> list[RunnableConfig]:
    configs: list[RunnableConfig] = []
    for number, values in enumerate(values_by_step):
        configs.append(step(saver, thread, configs[-1] if configs else None, number, values))
        write(saver, configs[-1], "a", number + 1)
    return configs


def test_writes_come_oldest_first(saver: ThreadkeepSaver, thread: str) -> None:
    configs = chain(saver, thread, [{"a": _DeltaSnapshot([])}, None, None, None])
    history = saver.get_delta_channel_history(config=configs[-1], channels=["a"])
    assert written(history, "a") == [1, 2, 3]
    assert history["a"]["seed"] == _DeltaSnapshot([])


def test_seed_is_the_nearest_snapshot(saver: ThreadkeepSaver, thread: str) -> None:
    snapshots = [{"a": _DeltaSnapshot([0])}, None, {"a": _DeltaSnapshot([0, 1, 2])}, None]
    configs = chain(saver, thread, snapshots)
    history = saver.get_delta_channel_history(config=configs[-1], channels=["a"])
    assert history["a"]["seed"] == _DeltaSnapshot([0, 1, 2])
    assert written(history, "a") == [3]


def test_own_writes_and_own_value_do_not_count(saver: ThreadkeepSaver, thread: str) -> None:
    configs = chain(saver, thread, [{"a": _DeltaSnapshot(["old"])}, {"a": _DeltaSnapshot(["own"])}])
    history = saver.get_delta_channel_history(config=configs[-1], channels=["a"])
    assert history["a"]["seed"] == _DeltaSnapshot(["old"])
    assert written(history, "a") == [1]


def test_each_channel_stops_at_its_own_seed(saver: ThreadkeepSaver, thread: str) -> None:
    first = step(saver, thread, None, 0, {"a": _DeltaSnapshot([]), "b": _DeltaSnapshot([])})
    write(saver, first, "a", 1)
    write(saver, first, "b", 1)
    second = step(saver, thread, first, 1, {"b": _DeltaSnapshot([1])})
    write(saver, second, "a", 2)
    write(saver, second, "b", 2)
    third = step(saver, thread, second, 2)
    history = saver.get_delta_channel_history(config=third, channels=["a", "b"])
    assert (written(history, "a"), written(history, "b")) == ([1, 2], [2])


def test_no_channels(saver: ThreadkeepSaver, thread: str) -> None:
    configs = chain(saver, thread, [None])
    assert saver.get_delta_channel_history(config=configs[0], channels=[]) == {}


def test_walk_to_the_root_has_no_seed(saver: ThreadkeepSaver, thread: str) -> None:
    configs = chain(saver, thread, [None, None, None])
    history = saver.get_delta_channel_history(config=configs[-1], channels=["a", "never"])
    assert written(history, "a") == [1, 2]
    assert "seed" not in history["a"]
    assert history["never"] == {"writes": []}


def test_plain_values_are_seeds_too(saver: ThreadkeepSaver, thread: str) -> None:
    for kind, value in {"inline": "text", "blob": ["x"], "none": None}.items():
        configs = chain(saver, f"{thread}-{kind}", [{"a": value}, None])
        history = saver.get_delta_channel_history(config=configs[-1], channels=["a"])
        assert history["a"] == {"writes": history["a"]["writes"], "seed": value}
        assert written(history, "a") == [1]


def test_writes_on_the_seed_are_replayed(saver: ThreadkeepSaver, thread: str) -> None:
    configs = chain(saver, thread, [None, {"a": _DeltaSnapshot([])}, None, None])
    history = saver.get_delta_channel_history(config=configs[-1], channels=["a"])
    assert written(history, "a") == [2, 3]


def test_forks_do_not_see_each_other(saver: ThreadkeepSaver, thread: str) -> None:
    root = step(saver, thread, None, 0, {"a": _DeltaSnapshot([])})
    write(saver, root, "a", "root")
    left = step(saver, thread, root, 1)
    write(saver, left, "a", "left")
    right = step(saver, thread, root, 1)
    write(saver, right, "a", "right")
    leaf = step(saver, thread, left, 2)
    history = saver.get_delta_channel_history(config=leaf, channels=["a"])
    assert written(history, "a") == ["root", "left"]


def test_parallel_tasks_come_in_task_path_order(saver: ThreadkeepSaver, thread: str) -> None:
    root = step(saver, thread, None, 0)
    saver.put_writes(root, [("a", "third"), ("a", "fourth")], "task-1", "~b")
    saver.put_writes(root, [("a", "second")], "task-2", "~a")
    saver.put_writes(root, [("a", "first")], "task-3", "")
    leaf = step(saver, thread, root, 1)
    history = saver.get_delta_channel_history(config=leaf, channels=["a"])
    assert written(history, "a") == ["first", "second", "third", "fourth"]


async def test_async_and_latest(saver: ThreadkeepSaver, thread: str) -> None:
    chain(saver, thread, [{"a": _DeltaSnapshot([])}, None])
    latest = config_of(thread)
    history = await saver.aget_delta_channel_history(config=latest, channels=["a"])
    assert written(history, "a") == [1]
    assert history == saver.get_delta_channel_history(config=config_of(thread, ""), channels=["a"])
    absent = config_of(f"{thread}-absent")
    assert saver.get_delta_channel_history(config=absent, channels=["a"]) == {"a": {"writes": []}}
    assert await saver.aget_delta_channel_history(config=latest, channels=[]) == {}


def test_snapshots_are_blobs_and_marked_in_the_document(
    saver: ThreadkeepSaver, thread: str
) -> None:
    """Also where the version of the channel stayed as it was."""
    snapshot = _DeltaSnapshot(["whole"])
    first = step(saver, thread, None, 0)
    for values in ({"a": snapshot}, {"a": snapshot, "b": _DeltaSnapshot([])}):
        checkpoint = new_checkpoint(values) | {"channel_versions": {"a": V1, "b": V1}}
        config = put(saver, first, checkpoint, new_versions={})
        found = saver.get_tuple(config)
        assert found is not None and found.checkpoint["channel_values"] == values
        row = saver.store.call(_native.get(thread, "", id_of(config)), 30)
        assert json.loads(row[4])["channel_values"] == dict.fromkeys(values, True)
        assert [blob[0] for blob in row[6]] == list(values)
    leaf = step(saver, thread, config, 2)
    history = saver.get_delta_channel_history(config=leaf, channels=["a"])
    assert history["a"]["seed"] == snapshot
