# SPDX-License-Identifier: Apache-2.0
"""The contract of LangGraph's runtime, and the places where savers differ from each other."""

from __future__ import annotations

import copy
import inspect
import pickle
import uuid
from enum import Enum
from typing import Any

import pytest
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

import threadkeep
from helpers import V1, config_of, id_of, new_checkpoint, put, put_chain, values_of
from threadkeep.langgraph import ThreadkeepSaver

TASK = "00000000-0000-0000-0000-000000000001"


def pending(saver: ThreadkeepSaver, config: Any) -> list[tuple[str, str, Any]]:
    found = saver.get_tuple(config)
    assert found is not None and found.pending_writes is not None
    return found.pending_writes


def ids(saver: ThreadkeepSaver, *args: Any, **kwargs: Any) -> list[str]:
    return [id_of(found.config) for found in saver.list(*args, **kwargs)]


# What the runtime looks at


def test_task_path_shows_in_signatures() -> None:
    for method in (ThreadkeepSaver.put_writes, ThreadkeepSaver.aput_writes):
        assert inspect.signature(method).parameters["task_path"].default == ""


def test_every_method_is_overridden() -> None:
    names = [
        name
        for name, value in vars(BaseCheckpointSaver).items()
        if inspect.isfunction(value) and not name.startswith("_")
    ]
    inherited = {
        name
        for name in names
        if getattr(ThreadkeepSaver, name) is getattr(BaseCheckpointSaver, name)
    }
    # Both are written in terms of the others.
    assert inherited == {"get", "aget", "with_allowlist"}


def test_versions_increase_and_differ(saver: ThreadkeepSaver) -> None:
    first = saver.get_next_version(None, None)
    assert first.startswith(f"{1:032}.")
    assert saver.get_next_version(first, None).startswith(f"{2:032}.")
    assert saver.get_next_version(f"{9:032}.5", None) > f"{9:032}.5"
    assert saver.get_next_version(7, None).startswith(f"{8:032}.")  # type: ignore[arg-type]
    assert len({saver.get_next_version(first, None) for _ in range(100)}) == 100


def test_shallow_copies_share_the_store(url: str, thread: str) -> None:
    serde = JsonPlusSerializer(allowed_msgpack_modules=None)
    saver = ThreadkeepSaver(url, serde=serde)
    clone = saver.with_allowlist([("collections", "Counter")])
    assert clone is not saver and clone.serde is not saver.serde
    assert clone.store is saver.store
    config = put(saver, config_of(thread), new_checkpoint({"a": [1]}))
    del saver
    assert values_of(clone, config) == {"a": [1]}


def test_pickling_is_refused(saver: ThreadkeepSaver) -> None:
    for thing in (saver, saver.store):
        with pytest.raises(TypeError, match="URL"):
            pickle.dumps(thing)
    with pytest.raises(TypeError, match="URL"):
        copy.deepcopy(saver)


def test_two_savers_on_one_store(store: threadkeep.Store, thread: str) -> None:
    with ThreadkeepSaver(store) as first:
        config = put(first, config_of(thread), new_checkpoint({"a": 1}))
    assert values_of(ThreadkeepSaver(store), config) == {"a": 1}


# Configs


def test_thread_ids_become_text(saver: ThreadkeepSaver) -> None:
    thread = uuid.uuid4()
    stored = put(saver, config_of(thread), new_checkpoint({"a": 1}))
    assert stored["configurable"]["thread_id"] == str(thread)
    assert values_of(saver, config_of(str(thread))) == {"a": 1}
    saver.delete_thread(thread)  # type: ignore[arg-type]
    assert saver.get_tuple(config_of(thread)) is None


def test_missing_namespace_is_the_root(saver: ThreadkeepSaver, thread: str) -> None:
    bare: Any = {"configurable": {"thread_id": thread}}
    stored = put(saver, bare, new_checkpoint({"a": 1}))
    assert stored["configurable"]["checkpoint_ns"] == ""
    bare["configurable"]["checkpoint_id"] = id_of(stored)
    saver.put_writes(bare, [("a", 1)], TASK)
    assert pending(saver, bare) == [(TASK, "a", 1)]


@pytest.mark.parametrize("no_id", [None, ""])
def test_empty_checkpoint_id(saver: ThreadkeepSaver, thread: str, no_id: Any) -> None:
    config = config_of(thread)
    config["configurable"]["checkpoint_id"] = no_id
    first = put(saver, config, new_checkpoint())
    second = put(saver, config, new_checkpoint())
    found = saver.get_tuple(config)
    assert found is not None and id_of(found.config) == max(id_of(first), id_of(second))
    assert found.parent_config is None
    assert len(ids(saver, config)) == 2
    assert len(ids(saver, config_of(thread), before=config)) == 2


def test_missing_ids_are_named(saver: ThreadkeepSaver, thread: str) -> None:
    with pytest.raises(threadkeep.InvalidArgumentError, match="thread_id"):
        saver.get_tuple({"configurable": {}})
    with pytest.raises(threadkeep.InvalidArgumentError, match="thread_id"):
        saver.list({})
    with pytest.raises(ValueError, match="checkpoint_id"):
        saver.put_writes(config_of(thread), [("a", 1)], TASK)
    with pytest.raises(ValueError, match="checkpoint_id"):
        saver.put_writes(config_of(thread, ""), [("a", 1)], TASK)


async def test_one_text_is_no_sequence_of_ids(saver: ThreadkeepSaver) -> None:
    match = r"^thread_ids must be a sequence of ids, not one str; write \['ada'\]$"
    with pytest.raises(threadkeep.InvalidArgumentError, match=match):
        saver.prune("ada")
    with pytest.raises(threadkeep.InvalidArgumentError, match=match):
        await saver.aprune("ada", strategy="delete")
    with pytest.raises(threadkeep.InvalidArgumentError, match=r"^run_ids.*write \['ada'\]$"):
        saver.delete_for_runs("ada")
    with pytest.raises(threadkeep.InvalidArgumentError, match=r"^run_ids.*write \['ada'\]$"):
        await saver.adelete_for_runs("ada")
    with pytest.raises(threadkeep.InvalidArgumentError, match="^thread_ids.*not NoneType"):
        saver.prune(None)  # type: ignore[arg-type]


async def test_none_is_no_id(saver: ThreadkeepSaver) -> None:
    """It must not become the text "None"."""
    nothing: Any = None
    calls: list[tuple[str, Any]] = [
        (r"^thread_ids\[1\]", lambda: saver.prune(["t", nothing])),
        (r"^run_ids\[0\]", lambda: saver.delete_for_runs([nothing])),
        ("^thread_id ", lambda: saver.delete_thread(nothing)),
        ("^source_thread_id", lambda: saver.copy_thread(nothing, "t")),
        ("^target_thread_id", lambda: saver.copy_thread("t", nothing)),
        ("^config ", lambda: saver.get_tuple(nothing)),
        ("^filter ", lambda: saver.list(None, filter=["x"])),  # type: ignore[arg-type]
        ("^before ", lambda: saver.list(None, before="x")),  # type: ignore[arg-type]
    ]
    for match, call in calls:
        with pytest.raises(threadkeep.InvalidArgumentError, match=match):
            call()
    with pytest.raises(threadkeep.InvalidArgumentError, match="^thread_id "):
        await saver.adelete_thread(nothing)
    with pytest.raises(threadkeep.InvalidArgumentError, match="^target_thread_id"):
        await saver.acopy_thread("t", nothing)


def test_before_without_an_id_is_ignored(saver: ThreadkeepSaver, thread: str) -> None:
    put(saver, config_of(thread), new_checkpoint())
    assert len(ids(saver, config_of(thread), before=config_of(thread))) == 1


@pytest.mark.parametrize("bad", ["nul\0", "lone\ud800", "long" * 200])
def test_bad_ids_are_refused(saver: ThreadkeepSaver, bad: str) -> None:
    with pytest.raises(threadkeep.InvalidArgumentError, match="thread_id"):
        put(saver, config_of(bad), new_checkpoint())


def test_odd_ids_are_ids_like_others(saver: ThreadkeepSaver, thread: str) -> None:
    odd = [f"{thread}:{suffix}" for suffix in ("", "*", "{x}", "a|b", "a b", "%", "ä", "_", "'")]
    for number, name in enumerate(odd):
        put(saver, config_of(name, ns=f"{name}|ns:1"), new_checkpoint({"a": number}))
    for number, name in enumerate(odd):
        assert values_of(saver, config_of(name, ns=f"{name}|ns:1")) == {"a": number}
        assert len(ids(saver, {"configurable": {"thread_id": name}})) == 1


# Writes


def test_special_channels_are_decided_per_row(saver: ThreadkeepSaver, thread: str) -> None:
    config = put(saver, config_of(thread), new_checkpoint())
    saver.put_writes(config, [("__resume__", "first"), ("foo", 1)], TASK)
    saver.put_writes(config, [("__resume__", "second"), ("foo", 2)], TASK)
    # The last special write stays, the first regular one does; whatever shares their batch.
    assert sorted(pending(saver, config)) == [(TASK, "__resume__", "second"), (TASK, "foo", 1)]


def test_a_batch_with_one_special_channel_twice(saver: ThreadkeepSaver, thread: str) -> None:
    config = put(saver, config_of(thread), new_checkpoint())
    saver.put_writes(config, [("__error__", "a"), ("__error__", "b"), ("__interrupt__", 1)], TASK)
    assert sorted(pending(saver, config)) == [(TASK, "__error__", "b"), (TASK, "__interrupt__", 1)]


def test_pending_writes_come_in_task_path_order(saver: ThreadkeepSaver, thread: str) -> None:
    config = put(saver, config_of(thread), new_checkpoint())
    saver.put_writes(config, [("a", 3), ("a", 4)], "task-1", "~b")
    saver.put_writes(config, [("a", 2)], "task-2", "~a")
    saver.put_writes(config, [("a", 1)], "task-3")
    assert [value for _, _, value in pending(saver, config)] == [1, 2, 3, 4]


def test_writes_before_their_checkpoint(saver: ThreadkeepSaver, thread: str) -> None:
    checkpoint = new_checkpoint({"a": 1})
    saver.put_writes(config_of(thread, checkpoint["id"]), [("a", "early")], TASK)
    assert saver.get_tuple(config_of(thread)) is None
    config = put(saver, config_of(thread), checkpoint)
    assert pending(saver, config) == [(TASK, "a", "early")]


def test_empty_writes(saver: ThreadkeepSaver, thread: str) -> None:
    config = put(saver, config_of(thread), new_checkpoint())
    saver.put_writes(config, [], TASK)
    assert pending(saver, config) == []


def test_late_writes_and_puts_after_delete_thread(saver: ThreadkeepSaver, thread: str) -> None:
    config = put(saver, config_of(thread), new_checkpoint({"a": [1]}))
    saver.delete_thread(thread)
    saver.put_writes(config, [("a", "late")], TASK)
    with pytest.raises(threadkeep.ConflictError):
        put(saver, config, new_checkpoint({"a": [2]}))
    assert saver.get_tuple(config_of(thread)) is None
    # Nothing of the old thread shows in a new one.
    again = put(saver, config_of(thread), new_checkpoint({"b": 1}))
    assert values_of(saver, again) == {"b": 1} and pending(saver, again) == []


# Putting


def test_a_second_put_replaces_document_metadata_and_parent(
    saver: ThreadkeepSaver, thread: str
) -> None:
    parent = put(saver, config_of(thread), new_checkpoint())
    checkpoint = new_checkpoint({"a": 1})
    put(saver, config_of(thread), checkpoint, {"step": 1})
    put(saver, parent, checkpoint | {"channel_values": {"a": 2}}, {"step": 2})
    found = saver.get_tuple(config_of(thread, checkpoint["id"]))
    assert found is not None and found.parent_config == parent
    assert found.metadata["step"] == 2 and found.checkpoint["channel_values"] == {"a": 2}


def test_unchanged_channels_are_found_by_version(saver: ThreadkeepSaver, thread: str) -> None:
    first = put(saver, config_of(thread), new_checkpoint({"list": [1], "text": "t"}))
    copied = new_checkpoint({"list": [1], "text": "t"})
    second = put(saver, first, copied, new_versions={})
    assert values_of(saver, second) == {"list": [1], "text": "t"}


def test_a_channel_without_value_has_none(saver: ThreadkeepSaver, thread: str) -> None:
    checkpoint = new_checkpoint({"a": [1]})
    checkpoint["channel_versions"]["ghost"] = V1
    config = put(saver, config_of(thread), checkpoint)
    assert values_of(saver, config) == {"a": [1]}


def test_unknown_members_survive(saver: ThreadkeepSaver, thread: str) -> None:
    checkpoint = new_checkpoint({"a": 1}, v=99, pending_sends=[], future={"x": [1, None]})
    config = put(saver, config_of(thread), checkpoint)
    found = saver.get_tuple(config)
    assert found is not None and found.checkpoint == checkpoint


def test_a_checkpoint_without_v(saver: ThreadkeepSaver, thread: str) -> None:
    parent = put(saver, config_of(thread), new_checkpoint())
    checkpoint = new_checkpoint({"a": 1})
    del checkpoint["v"]
    config = put(saver, parent, checkpoint)
    assert values_of(saver, config) == {"a": 1}


def test_int_versions(saver: ThreadkeepSaver, thread: str) -> None:
    first = put(saver, config_of(thread), new_checkpoint({"a": [1], "b": "x"}, version=1))
    second = new_checkpoint({"a": [1], "b": "y"}, version=1)
    second["channel_versions"]["b"] = 2
    config = put(saver, first, second, new_versions={"b": 2})
    found = saver.get_tuple(config)
    assert found is not None and found.checkpoint["channel_versions"] == {"a": 1, "b": 2}
    assert values_of(saver, config) == {"a": [1], "b": "y"}


# Metadata


class Color(str, Enum):
    red = "red"


def test_metadata_takes_in_the_config(saver: ThreadkeepSaver, thread: str) -> None:
    config = config_of(thread)
    config["configurable"] |= {"user": "u1", "__secret": "x", "object": object()}
    config["metadata"] = {"tenant": "t1", "color": Color.red, "nul": "a\0b"}
    stored = put(saver, config, new_checkpoint(), {"step": 1, "writes": {"x": 1}})
    found = saver.get_tuple(stored)
    assert found is not None
    assert found.metadata == {"step": 1, "user": "u1", "tenant": "t1", "color": "red", "nul": "ab"}
    assert type(found.metadata["color"]) is str


def test_nul_is_stripped_from_metadata_at_every_depth(saver: ThreadkeepSaver, thread: str) -> None:
    given = {"a": "x\0y", "deep": [{"b\0": "\0z"}]}
    config = put(saver, config_of(thread), new_checkpoint(), given)
    found = saver.get_tuple(config)
    assert found is not None and found.metadata == {"a": "xy", "deep": [{"b": "z"}]}


@pytest.mark.parametrize(
    ("bad", "path"),
    [
        (float("nan"), "inner"),
        (float("inf"), "inner"),
        ("lone \ud800 surrogate", "inner"),
        (object(), r"metadata\.deep\[1\]\.inner \(object\)"),
        ({1, 2}, r"metadata\.deep\[1\]\.inner \(set\)"),
    ],
)
def test_bad_metadata_is_refused_with_its_path(
    saver: ThreadkeepSaver, thread: str, bad: Any, path: str
) -> None:
    with pytest.raises(threadkeep.InvalidArgumentError, match=path):
        put(saver, config_of(thread), new_checkpoint(), {"deep": [0, {"inner": bad}]})
    assert saver.get_tuple(config_of(thread)) is None


def test_metadata_that_contains_itself_is_refused(saver: ThreadkeepSaver, thread: str) -> None:
    endless: dict[str, Any] = {}
    endless["self"] = endless
    with pytest.raises(threadkeep.InvalidArgumentError, match="metadata"):
        put(saver, config_of(thread), new_checkpoint(), {"endless": endless})


# Lists


def test_limits(saver: ThreadkeepSaver, thread: str) -> None:
    chain = [id_of(config) for config in reversed(put_chain(saver, thread, 5))]
    assert ids(saver, config_of(thread)) == chain
    assert ids(saver, config_of(thread), limit=2) == chain[:2]
    assert ids(saver, config_of(thread), limit=99) == chain
    assert ids(saver, config_of(thread), limit=0) == []
    for bad in (-1, 1.5, "1", True):
        with pytest.raises(ValueError, match="limit"):
            saver.list(config_of(thread), limit=bad)  # type: ignore[arg-type]


async def test_async_lists(saver: ThreadkeepSaver, thread: str) -> None:
    chain = [id_of(config) for config in reversed(put_chain(saver, thread, 5))]
    assert [id_of(found.config) async for found in saver.alist(config_of(thread))] == chain
    assert [found async for found in saver.alist(config_of(thread), limit=0)] == []
    with pytest.raises(ValueError, match="limit"):
        await anext(saver.alist(config_of(thread), limit=-1))


def test_lists_are_longer_than_a_page(saver: ThreadkeepSaver, thread: str) -> None:
    chain = [id_of(config) for config in reversed(put_chain(saver, thread, 230))]
    assert ids(saver, config_of(thread)) == chain
    assert ids(saver, config_of(thread), limit=150) == chain[:150]


def test_no_lock_is_held_while_a_list_is_read(saver: ThreadkeepSaver, thread: str) -> None:
    put_chain(saver, thread, 120)
    listing = saver.list(config_of(thread))
    next(listing)
    put_chain(saver, thread, 1)
    saver.put_writes(put(saver, config_of(thread), new_checkpoint()), [("a", 1)], TASK)
    assert len(list(listing)) == 119


def test_before_is_strict(saver: ThreadkeepSaver, thread: str) -> None:
    chain = put_chain(saver, thread, 4)
    older = [id_of(config) for config in reversed(chain[:2])]
    assert ids(saver, config_of(thread), before=chain[2]) == older
    assert ids(saver, config_of(thread), before=chain[2], limit=1) == older[:1]


def test_namespaces(saver: ThreadkeepSaver, thread: str) -> None:
    root = put_chain(saver, thread, 1)
    child = put_chain(saver, thread, 1, ns="child:1")
    assert ids(saver, config_of(thread)) == [id_of(root[0])]
    assert ids(saver, config_of(thread, ns="child:1")) == [id_of(child[0])]
    everything = ids(saver, {"configurable": {"thread_id": thread}})
    assert everything == [id_of(child[0]), id_of(root[0])]


def test_no_config_lists_all_threads(saver: ThreadkeepSaver, thread: str) -> None:
    for number in range(3):
        put_chain(saver, f"{thread}-{number}", 2)
    assert len(ids(saver, None, filter={"step": 1})) >= 3
    found = {item.config["configurable"]["thread_id"] for item in saver.list(None)}
    assert {f"{thread}-{number}" for number in range(3)} <= found


@pytest.mark.parametrize(
    ("filter", "matches"),
    [
        ({"flag": True}, True),
        ({"flag": 1}, False),
        ({"number": 1.0}, True),
        ({"object": {"a": [1, {"b": None}], "c": 2}}, True),
        ({"object": {"c": 2, "a": [1, {"b": None}]}}, True),
        ({"object": {"c": 2}}, False),
        ({"null": None}, True),
        ({"missing": None}, False),
        ({"dotted.key": "x"}, True),
        ({"object.c": 2}, False),
        ({"flag": True, "number": 2}, False),
        ({"text": Color.red}, True),
        ({}, True),
    ],
)
def test_filters_compare_by_value(
    saver: ThreadkeepSaver, thread: str, filter: dict[str, Any], matches: bool
) -> None:
    metadata = {
        "flag": True,
        "number": 1,
        "object": {"a": [1, {"b": None}], "c": 2},
        "null": None,
        "dotted.key": "x",
        "text": "red",
    }
    put(saver, config_of(thread), new_checkpoint(), metadata)
    assert len(ids(saver, config_of(thread), filter=filter)) == int(matches)


def test_bad_filters_are_refused(saver: ThreadkeepSaver, thread: str) -> None:
    for bad in (float("nan"), object(), {1}):
        with pytest.raises(threadkeep.InvalidArgumentError, match="filter"):
            list(saver.list(config_of(thread), filter={"key": bad}))


# Threads


def test_prune_then_continue(saver: ThreadkeepSaver, thread: str) -> None:
    chain = put_chain(saver, thread, 4)
    saver.prune([thread])
    assert ids(saver, config_of(thread)) == [id_of(chain[-1])]
    assert values_of(saver, config_of(thread)) == {"step": [3]}
    child = new_checkpoint({"step": [3], "new": 1})
    child["channel_versions"]["step"] = f"{4:032}.0"
    put(saver, chain[-1], child, new_versions={"new": V1})
    assert values_of(saver, config_of(thread)) == {"step": [3], "new": 1}


def test_prune_takes_known_strategies_only(saver: ThreadkeepSaver, thread: str) -> None:
    put_chain(saver, thread, 2)
    with pytest.raises(ValueError, match="strategy"):
        saver.prune([thread], strategy="keep_some")
    saver.prune([thread, f"{thread}-absent"], strategy="delete")
    assert ids(saver, config_of(thread)) == []


def test_copies_live_on_their_own(saver: ThreadkeepSaver, thread: str) -> None:
    chain = put_chain(saver, thread, 3)
    saver.put_writes(chain[-1], [("a", "pending")], TASK)
    saver.copy_thread(thread, f"{thread}-copy")
    saver.delete_thread(thread)
    assert values_of(saver, config_of(f"{thread}-copy")) == {"step": [2]}
    assert pending(saver, config_of(f"{thread}-copy")) == [(TASK, "a", "pending")]
    assert len(ids(saver, config_of(f"{thread}-copy"))) == 3


def test_runs_are_deleted_by_id(saver: ThreadkeepSaver, thread: str) -> None:
    run = uuid.uuid4()
    first = put(saver, config_of(thread), new_checkpoint(), {"run_id": str(run)})
    put(saver, first, new_checkpoint(), {"run_id": "other"})
    saver.delete_for_runs([run])  # type: ignore[list-item]
    saver.delete_for_runs([])
    left = list(saver.list(config_of(thread)))
    assert [found.metadata["run_id"] for found in left] == ["other"]


async def test_threads_are_listed(saver: ThreadkeepSaver, thread: str) -> None:
    for number in range(3):
        put_chain(saver, f"{thread}-{number}", 1)
    saver.store.put_thread(f"{thread}-1", {"title": "one"})
    mine = [info for info in saver.threads() if info.thread_id.startswith(thread)]
    assert [info.thread_id for info in mine] == [f"{thread}-{number}" for number in range(3)]
    assert [info.metadata for info in mine] == [{}, {"title": "one"}, {}]
    assert all(info.created_at.tzinfo is not None for info in mine)
    assert [info async for info in saver.athreads(limit=2)] == list(saver.threads(limit=2))
    titled = [info.thread_id for info in saver.threads(filter={"title": "one"})]
    assert titled == [f"{thread}-1"]
    assert list(saver.threads(limit=0)) == []
