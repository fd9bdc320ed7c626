# SPDX-License-Identifier: Apache-2.0
"""Between LangGraph's objects and the rows of a store. Nothing here does any input or output."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    get_serializable_checkpoint_metadata,
)
from langgraph.checkpoint.serde.base import SerializerProtocol
from langgraph.checkpoint.serde.types import TASKS

from threadkeep import _native
from threadkeep._arguments import checked_mapping, id_text, json_text
from threadkeep.errors import InvalidArgumentError
from threadkeep.langgraph.values import (
    PRIMITIVES,
    SNAPSHOT_MARK,
    BlobKey,
    SeenBlobs,
    is_snapshot,
    keeps_inline,
    survives_json,
    version_text,
)

# Type tag of a blob that says: this channel has no value.
_EMPTY = "empty"
# From this version of the checkpoint format on, sends are a channel like any other.
_SENDS_IN_CHANNEL = 4
_decoder = json.JSONDecoder()


class Address(NamedTuple):
    """What a config names. On put, ``checkpoint_id`` is the parent; on get, None is the latest."""

    thread_id: str
    checkpoint_ns: str
    checkpoint_id: str | None

    @staticmethod
    def of(config: RunnableConfig) -> Address:
        configurable = checked_mapping(config, "config").get("configurable") or {}
        checked_mapping(configurable, "config['configurable']")
        thread_id = configurable.get("thread_id")
        if thread_id is None:
            raise InvalidArgumentError("config['configurable']['thread_id'] is missing")
        return Address(
            id_text(thread_id, "config['configurable']['thread_id']"),
            configurable.get("checkpoint_ns") or "",
            configurable.get("checkpoint_id") or None,
        )


def _config(thread_id: str, checkpoint_ns: str, checkpoint_id: str) -> RunnableConfig:
    return {
        "configurable": {
            "thread_id": thread_id,
            "checkpoint_ns": checkpoint_ns,
            "checkpoint_id": checkpoint_id,
        }
    }


class NewCheckpoint(NamedTuple):
    """A put: its request, the config that names it, and the blobs that are stored after it."""

    request: _native.Request
    config: RunnableConfig
    primitives: list[BlobKey]


def _decode(serde: SerializerProtocol, type_tag: str, data: bytes) -> Any:
    return serde.loads_typed((type_tag, data))


def _parsed(text: str) -> Any:
    """What ``json.loads`` returns, faster: most text has no space around it."""
    try:
        value, end = _decoder.raw_decode(text)
    except ValueError:
        end = -1
    return value if end == len(text) else json.loads(text)


def new_checkpoint(
    serde: SerializerProtocol,
    seen: SeenBlobs,
    config: RunnableConfig,
    checkpoint: Checkpoint,
    metadata: CheckpointMetadata,
    new_versions: ChannelVersions,
) -> NewCheckpoint:
    """Builds the request that stores a checkpoint with the values that are new in it."""
    parent = Address.of(config)
    thread_id, checkpoint_ns, _ = parent
    checked_mapping(metadata, "metadata")
    checked_mapping(new_versions, "new_versions")
    if checked_mapping(checkpoint, "checkpoint").get("id") is None:
        raise InvalidArgumentError("checkpoint['id'] is missing")
    inlining = keeps_inline(serde)
    versions = checked_mapping(checkpoint.get("channel_versions") or {}, "channel_versions")
    values = checked_mapping(checkpoint.get("channel_values") or {}, "channel_values")
    inlined: dict[str, Any] = {}
    blobs: list[_native.BlobRow] = []
    primitives: list[BlobKey] = []
    for channel, value in values.items():
        if not isinstance(channel, str):  # JSON would make a str of some.
            raise InvalidArgumentError(
                f"a channel of channel_values must be a str, not {type(channel).__name__}"
            )
        primitive, snapshot = isinstance(value, PRIMITIVES), is_snapshot(value)
        if primitive and inlining and survives_json(value):
            inlined[channel] = value
            continue
        version = new_versions.get(channel, versions.get(channel))
        if version is None or not (channel in new_versions or primitive or snapshot):
            continue
        if snapshot:
            inlined[channel] = SNAPSHOT_MARK
        key = (thread_id, checkpoint_ns, channel, version_text(version))
        if channel not in new_versions and key in seen:
            continue
        if primitive:
            primitives.append(key)
        blobs.append((channel, key[3], *serde.dumps_typed(value)))
    document = {**checkpoint, "channel_values": inlined}
    request = _native.put(
        thread_id,
        checkpoint_ns,
        checkpoint["id"],
        parent.checkpoint_id,
        json_text(document, "checkpoint"),
        json_text(get_serializable_checkpoint_metadata(config, metadata), "metadata"),
        blobs,
    )
    return NewCheckpoint(
        request, _config(thread_id, checkpoint_ns, checkpoint["id"]), primitives
    )


def _checked_writes(writes: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(writes, Iterable) or isinstance(writes, (str, bytes, Mapping)):
        kind = type(writes).__name__
        raise InvalidArgumentError(f"writes must be a sequence of (channel, value), not {kind}")
    for index, write in enumerate(writes):
        if not isinstance(write, (tuple, list)) or len(write) != 2:
            raise InvalidArgumentError(f"writes[{index}] must be a tuple of channel and value")
        if not isinstance(write[0], str):
            kind = type(write[0]).__name__
            raise InvalidArgumentError(f"the channel of writes[{index}] must be a str, not {kind}")
        yield write[0], write[1]


def new_writes(
    serde: SerializerProtocol,
    config: RunnableConfig,
    writes: Sequence[tuple[str, Any]],
    task_id: str,
    task_path: str,
) -> _native.Request:
    """Builds the request that stores what a task wrote. Each row has the index of its channel."""
    address = Address.of(config)
    if address.checkpoint_id is None:
        raise InvalidArgumentError("config['configurable']['checkpoint_id'] is missing")
    rows = [
        (WRITES_IDX_MAP.get(channel, index), channel, *serde.dumps_typed(value))
        for index, (channel, value) in enumerate(_checked_writes(writes))
    ]
    return _native.put_writes(
        address.thread_id, address.checkpoint_ns, address.checkpoint_id, task_id, task_path, rows
    )


def parsed_document(serde: SerializerProtocol, row: _native.CheckpointRow) -> Checkpoint:
    """The checkpoint in a row, with its inline values only."""
    checkpoint: dict[str, Any] = _parsed(row[4])
    match checkpoint.get("pending_sends"):
        # LangGraph's Postgres saver before 1.0.5 packs them so; later versions cannot read it.
        case [str(type_tag), str(text)]:
            checkpoint["pending_sends"] = _decode(serde, type_tag, b64decode(text))
    return cast("Checkpoint", checkpoint)


def parent_with_sends(row: _native.CheckpointRow, checkpoint: Mapping[str, Any]) -> Address | None:
    """The parent whose pending sends belong to this checkpoint, if its format keeps them there."""
    thread_id, checkpoint_ns, parent = row[0], row[1], row[3]
    if not parent:  # LangGraph's Postgres saver can store "", which names no checkpoint.
        return None
    version = checkpoint.get("v")
    if not isinstance(version, int) or version >= _SENDS_IN_CHANNEL:
        return None
    return Address(thread_id, checkpoint_ns, parent)


def sends_of(serde: SerializerProtocol, parent: _native.CheckpointRow | None) -> list[Any]:
    """The sends among the writes of a checkpoint."""
    if parent is None:
        return []
    return [
        _decode(serde, type_tag, data)
        for _, _, channel, _, type_tag, data in parent[7]
        if channel == TASKS
    ]


def add_sends(checkpoint: Checkpoint, sends: list[Any], first_version: str) -> None:
    """Puts the pending sends of the parent where today's LangGraph has them, in a channel."""
    if not sends:
        return
    versions: dict[str, Any] = checkpoint.setdefault("channel_versions", {})
    checkpoint["channel_values"][TASKS] = sends
    versions[TASKS] = max(versions.values(), default=first_version)


def checkpoint_tuple(
    serde: SerializerProtocol,
    seen: SeenBlobs,
    row: _native.CheckpointRow,
    checkpoint: Checkpoint,
) -> CheckpointTuple:
    """A stored checkpoint as LangGraph takes it.

    ``checkpoint`` is the parsed document of the row; the stored values are put into it.
    """
    thread_id, checkpoint_ns, checkpoint_id, parent_id, _, metadata, blobs, writes = row
    loads_typed = serde.loads_typed
    values = checkpoint.setdefault("channel_values", {})
    primitives: list[BlobKey] = []
    for channel, version, type_tag, data in blobs:
        if type_tag == _EMPTY:
            continue
        value = values[channel] = loads_typed((type_tag, data))
        if isinstance(value, PRIMITIVES):
            primitives.append((thread_id, checkpoint_ns, channel, version))
    if primitives:
        seen.add(primitives)
    return CheckpointTuple(
        _config(thread_id, checkpoint_ns, checkpoint_id),
        checkpoint,
        _parsed(metadata),
        _config(thread_id, checkpoint_ns, parent_id) if parent_id else None,
        _pending_writes(serde, writes),
    )


def _pending_writes(
    serde: SerializerProtocol, rows: Sequence[_native.WriteRow]
) -> list[tuple[str, str, Any]]:
    loads_typed = serde.loads_typed
    return [
        (task_id, channel, loads_typed((type_tag, data)))
        for task_id, _, channel, _, type_tag, data in rows
    ]


def channel_histories(
    serde: SerializerProtocol, rows: Sequence[_native.HistoryRow]
) -> Mapping[str, Any]:
    """What rebuilds delta channels: for each, the nearest stored value and the writes since."""
    histories: dict[str, Any] = {}
    for channel, seed, inline_seed, writes in rows:
        entry: dict[str, Any] = {"writes": _pending_writes(serde, writes)}
        if seed is not None:
            entry["seed"] = _decode(serde, seed[2], seed[3])
        elif inline_seed is not None:
            entry["seed"] = json.loads(inline_seed)
        histories[channel] = entry
    return histories
