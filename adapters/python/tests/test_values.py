# SPDX-License-Identifier: Apache-2.0
"""Channel values come back as they were put, inline or not."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from datetime import datetime, timezone
from enum import Enum
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

import threadkeep
from helpers import V1, V2, V3, config_of, new_checkpoint, put, values_of
from threadkeep import _native
from threadkeep.langgraph import ThreadkeepSaver
from threadkeep.langgraph.values import SeenBlobs


class Mood(str, Enum):
    calm = "calm"


class Text(str):
    pass


INLINE = [
    None,
    True,
    False,
    0,
    -1,
    2**63 - 1,
    -(2**63),
    0.0,
    1.0,
    -2.5,
    0.1,
    "",
    "text",
    "ä" * 128,
    '\n"\\/\x7f\u2028',
    "x" * 256,
]
BLOBS = [
    2**63,
    2**64 - 1,
    1e300,
    1e-7,
    -0.0,
    math.inf,
    -math.inf,
    "nul\0byte",
    "\0",
    "x" * 257,
    "ä" * 129,
    "long " * 100_000,
    Mood.calm,
    Text("subclass"),
    b"",
    b"\0\xff",
    bytearray(b"abc"),
    b"big" * 100_000,
    [],
    {},
    {"nul\0": ["\0", {"x": b"\0"}]},
    [1, [2, [3]]],
    datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=timezone.utc),
    {1, 2},
    AIMessage(content="hello", id="1"),
]


def stored_document(saver: ThreadkeepSaver, config: Any) -> dict[str, Any]:
    configurable = config["configurable"]
    request = _native.get(configurable["thread_id"], "", configurable["checkpoint_id"])
    document: dict[str, Any] = json.loads(saver.store.call(request, 30)[4])
    return document


def stored_blobs(saver: ThreadkeepSaver, config: Any) -> dict[str, Any]:
    configurable = config["configurable"]
    request = _native.get(configurable["thread_id"], "", configurable["checkpoint_id"])
    return {row[0]: row[2:] for row in saver.store.call(request, 30)[6]}


def same(a: Any, b: Any) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return math.copysign(1, a) == math.copysign(1, b) and (a == b or a != a and b != b)
    return type(a) is type(b) and bool(a == b)


@pytest.mark.parametrize("value", INLINE, ids=lambda value: repr(value)[:20])
def test_small_primitives_stay_inline(saver: ThreadkeepSaver, thread: str, value: Any) -> None:
    config = put(saver, config_of(thread), new_checkpoint({"c": value}))
    assert same(values_of(saver, config)["c"], value)
    assert same(stored_document(saver, config)["channel_values"]["c"], value)
    assert stored_blobs(saver, config) == {}


def test_documents_with_space_around_them_are_read(saver: ThreadkeepSaver, thread: str) -> None:
    checkpoint = {**new_checkpoint({"c": "text"}), "channel_versions": {}}
    document = f"\n {json.dumps(checkpoint)} \n"
    request = _native.put(thread, "", checkpoint["id"], None, document, ' {"step": 1}\t', [])
    saver.store.call(request, 30)
    found = saver.get_tuple(config_of(thread))
    assert found is not None
    assert (found.checkpoint, found.metadata) == (checkpoint, {"step": 1})


def test_listed_checkpoints_share_no_value(saver: ThreadkeepSaver, thread: str) -> None:
    shared = {"list": [[1]], "bytes": b"x" * 100_000, "array": bytearray(b"y")}
    config = config_of(thread)
    for changed in (list(shared), []):  # The second one carries the values of the first.
        config = put(saver, config, new_checkpoint(shared), None, dict.fromkeys(changed, V1))
    one, other = (found.checkpoint["channel_values"] for found in saver.list(config_of(thread)))
    assert one == other == shared
    one["list"][0].append(2)
    one["array"].append(0)
    assert other == shared


@pytest.mark.parametrize("value", BLOBS, ids=lambda value: repr(value)[:20])
def test_all_else_are_blobs(saver: ThreadkeepSaver, thread: str, value: Any) -> None:
    config = put(saver, config_of(thread), new_checkpoint({"c": value}))
    if type(value) is Text:  # The serializer itself makes it a str.
        assert values_of(saver, config)["c"] == value
    else:
        assert same(values_of(saver, config)["c"], value)
    assert stored_document(saver, config)["channel_values"] == {}
    assert set(stored_blobs(saver, config)) == {"c"}
    saver.put_writes(config, [("c", value)], "task")
    found = saver.get_tuple(config)
    assert found is not None and found.pending_writes is not None
    assert found.pending_writes[0][2] == value


def test_nan(saver: ThreadkeepSaver, thread: str) -> None:
    config = put(saver, config_of(thread), new_checkpoint({"c": math.nan}))
    assert math.isnan(values_of(saver, config)["c"])


def test_lone_surrogates(saver: ThreadkeepSaver, thread: str) -> None:
    """LangGraph's serializer replaces them; inline they would make the document invalid."""
    config = put(saver, config_of(thread), new_checkpoint({"c": "lone \ud800", "d": ["\udfff"]}))
    assert values_of(saver, config) == {"c": "lone ?", "d": ["?"]}


def random_value(rng: random.Random, depth: int = 0) -> Any:
    makers: list[Callable[[], Any]] = [
        lambda: rng.choice(INLINE + BLOBS[:20]),
        lambda: rng.randint(-(2**64), 2**64 - 1) if depth == 0 else rng.randint(-(2**63), 2**63),
        lambda: rng.uniform(-1e6, 1e6) * 10 ** rng.randint(-12, 12),
        lambda: "".join(chr(rng.choice([0, 9, 65, 233, 8232, 128512])) for _ in range(300)),
        lambda: "".join(chr(rng.randint(1, 127)) for _ in range(rng.randint(0, 40))),
        lambda: rng.randbytes(rng.randint(0, 100)),
    ]
    if depth < 3:
        makers.append(lambda: [random_value(rng, depth + 1) for _ in range(rng.randint(0, 4))])
        makers.append(
            lambda: {f"k{n}\0": random_value(rng, depth + 1) for n in range(rng.randint(0, 4))}
        )
    return rng.choice(makers)()


@pytest.mark.parametrize("seed", range(20))
def test_random_values(saver: ThreadkeepSaver, thread: str, seed: int) -> None:
    """Whatever the serializer gives back for a value, the saver does."""
    rng, serde = random.Random(seed), JsonPlusSerializer()
    values: dict[str, Any] = {}
    while len(values) < 30:
        value = random_value(rng)
        try:
            serde.dumps_typed(value)
        except Exception:
            continue  # Not the serializer's either, such as an int of 65 bits within a list.
        values[f"channel {len(values)}"] = value
    config = put(saver, config_of(thread), new_checkpoint(values))
    found = values_of(saver, config)
    expected = {name: serde.loads_typed(serde.dumps_typed(value)) for name, value in values.items()}
    assert set(found) == set(values)
    assert [name for name in values if not same(found[name], expected[name])] == []


def test_what_the_serializer_refuses_stores_nothing(saver: ThreadkeepSaver, thread: str) -> None:
    with pytest.raises(Exception, match="(?i)integer|int"):
        put(saver, config_of(thread), new_checkpoint({"c": 2**64}))
    assert saver.get_tuple(config_of(thread)) is None


# Primitives that another saver kept inline


def adopted(saver: ThreadkeepSaver, thread: str, value: Any) -> Any:
    """A checkpoint as LangGraph's Postgres saver stores it: the primitive inline, no blob."""
    checkpoint = new_checkpoint({"c": value})
    request = _native.put(thread, "", checkpoint["id"], None, json.dumps(checkpoint), "{}", [])
    saver.store.call(request, 30)
    return config_of(thread, checkpoint["id"])


@pytest.mark.parametrize("value", ["short", "x" * 1000, 2**64 - 1, 1e-7])
def test_adopted_primitives_live_on(store: threadkeep.Store, thread: str, value: Any) -> None:
    config = adopted(ThreadkeepSaver(store), thread, value)
    for turn in range(3):
        saver = ThreadkeepSaver(store)  # Has seen nothing, as in a new process.
        found = saver.get_tuple(config)
        assert found is not None and found.checkpoint["channel_values"]["c"] == value
        following = new_checkpoint(found.checkpoint["channel_values"] | {"turn": turn})
        following["channel_versions"] = {"c": V1, "turn": f"{turn + 2:032}.0"}
        config = put(
            saver, config, following, new_versions={"turn": following["channel_versions"]["turn"]}
        )
    assert values_of(ThreadkeepSaver(store), config) == {"c": value, "turn": 2}


def test_known_blobs_are_not_sent_again(
    saver: ThreadkeepSaver, thread: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[list[str]] = []
    real = _native.put

    def spy(*args: Any) -> Any:
        sent.append([row[0] for row in args[6]])
        return real(*args)

    monkeypatch.setattr(_native, "put", spy)
    long = "x" * 1000
    config = put(saver, config_of(thread), new_checkpoint({"long": long, "list": [1]}))
    again = new_checkpoint({"long": long, "list": [1]})
    config = put(saver, config, again, new_versions={})
    fresh = ThreadkeepSaver(saver.store)
    config = put(fresh, config, again | {"id": again["id"][:-4] + "ffff"}, new_versions={})
    reader = ThreadkeepSaver(saver.store)
    reader.get_tuple(config)
    put(reader, config, new_checkpoint({"long": long, "list": [1]}), new_versions={})
    assert sent == [["long", "list"], [], ["long"], []]


def test_a_deleted_blob_is_sent_again(saver: ThreadkeepSaver, thread: str) -> None:
    long = "x" * 1000
    put(saver, config_of(thread), new_checkpoint({"long": long}))
    saver.delete_thread(thread)
    config = put(saver, config_of(thread), new_checkpoint({"long": long}), new_versions={})
    assert values_of(saver, config) == {"long": long}


def test_seen_blobs_are_bounded() -> None:
    seen = SeenBlobs(limit=3)
    keys = [("t", "", "c", str(number)) for number in range(5)]
    seen.add(keys)
    assert [key in seen for key in keys] == [False, False, True, True, True]
    seen.forget("t")
    assert not any(key in seen for key in keys)


# Other serializers


class Reversing:
    """A serializer of the old, untyped kind."""

    def dumps(self, obj: Any) -> bytes:
        return json.dumps(obj).encode()[::-1]

    def loads(self, data: bytes) -> Any:
        return json.loads(data[::-1])


def test_custom_serializers_see_every_value(store: threadkeep.Store, thread: str) -> None:
    saver = ThreadkeepSaver(store, serde=Reversing())  # type: ignore[arg-type]
    values = {"int": 1, "text": "t", "none": None, "list": [1]}
    config = put(saver, config_of(thread), new_checkpoint(values))
    assert values_of(saver, config) == values
    assert stored_document(saver, config)["channel_values"] == {}
    assert {type_tag for type_tag, _ in stored_blobs(saver, config).values()} == {
        "int",
        "str",
        "NoneType",
        "list",
    }


def test_encrypted_values(store: threadkeep.Store, thread: str) -> None:
    serde = EncryptedSerializer.from_pycryptodome_aes(key=b"k" * 32)
    saver = ThreadkeepSaver(store, serde=serde)
    values = {"secret": "attack at dawn", "number": 12345, "list": ["attack at noon"]}
    config = put(saver, config_of(thread), new_checkpoint(values))
    saver.put_writes(config, [("secret", "attack at night")], "task")
    assert values_of(ThreadkeepSaver(store, serde=serde), config) == values
    row = store.call(_native.get(thread, "", None), 30)
    assert all(blob[2].endswith("+aes") for blob in row[6])
    assert b"attack" not in repr(row).encode() and b"12345" not in repr(row[4:]).encode()
    following = new_checkpoint(values, V2)
    following["channel_versions"] = {name: V1 for name in values}
    config = put(ThreadkeepSaver(store, serde=serde), config, following, new_versions={})
    assert values_of(saver, config) == values
    wrong = EncryptedSerializer.from_pycryptodome_aes(key=b"w" * 32)
    with pytest.raises(ValueError, match="MAC"):
        ThreadkeepSaver(store, serde=wrong).get_tuple(config)


def test_plain_threads_can_be_read_with_encryption(store: threadkeep.Store, thread: str) -> None:
    config = put(ThreadkeepSaver(store), config_of(thread), new_checkpoint({"a": 1, "b": [2]}))
    serde = EncryptedSerializer.from_pycryptodome_aes(key=b"k" * 32)
    encrypted = ThreadkeepSaver(store, serde=serde)
    assert values_of(encrypted, config) == {"a": 1, "b": [2]}
    following = new_checkpoint({"a": 1, "b": [3]}, V3)
    following["channel_versions"]["a"] = V1
    config = put(encrypted, config, following, new_versions={"b": V3})
    assert stored_document(encrypted, config)["channel_values"] == {}
    assert values_of(encrypted, config) == {"a": 1, "b": [3]}


def test_large_payloads_are_let_go(saver: ThreadkeepSaver, thread: str) -> None:
    before = _native.shared_payloads()
    value = b"x" * (8 * 1024 * 1024)
    config = put(saver, config_of(thread), new_checkpoint({"c": value}))
    assert values_of(saver, config)["c"] == value
    if saver.store.capabilities.name == "memory":  # It keeps the very buffer.
        assert _native.shared_payloads() == before + 1
        saver.delete_thread(thread)
    saver.get_tuple(config)
    assert _native.shared_payloads() == before
