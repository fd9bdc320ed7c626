# SPDX-License-Identifier: Apache-2.0
"""Checkpoints made by hand, as LangGraph's runtime makes them."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base.id import uuid6

V1 = f"{1:032}.0"
V2 = f"{2:032}.0"
V3 = f"{3:032}.0"


def config_of(thread_id: Any, checkpoint_id: str | None = None, ns: str = "") -> RunnableConfig:
    config: RunnableConfig = {"configurable": {"thread_id": thread_id, "checkpoint_ns": ns}}
    if checkpoint_id is not None:
        config["configurable"]["checkpoint_id"] = checkpoint_id
    return config


def id_of(config: RunnableConfig) -> str:
    return str(config["configurable"]["checkpoint_id"])


def new_checkpoint(
    values: dict[str, Any] | None = None, version: str | int = V1, **more: Any
) -> dict[str, Any]:
    """A checkpoint whose channels all have one version."""
    values = values or {}
    return {
        "v": 4,
        "id": str(uuid6(clock_seq=0)),
        "ts": datetime.now(timezone.utc).isoformat(),
        "channel_values": values,
        "channel_versions": {channel: version for channel in values},
        "versions_seen": {},
        "updated_channels": None,
        **more,
    }


def put(
    saver: Any,
    config: RunnableConfig,
    checkpoint: dict[str, Any],
    metadata: dict[str, Any] | None = None,
    new_versions: dict[str, Any] | None = None,
) -> RunnableConfig:
    """Puts a checkpoint; all of its channels are new unless told otherwise."""
    versions = checkpoint["channel_versions"] if new_versions is None else new_versions
    given = {"source": "loop", "step": 0, "parents": {}} if metadata is None else metadata
    stored: RunnableConfig = saver.put(config, checkpoint, given, versions)
    return stored


def put_chain(saver: Any, thread_id: str, count: int, ns: str = "") -> list[RunnableConfig]:
    """A chain of checkpoints; the channel `step` of each holds its number."""
    configs: list[RunnableConfig] = []
    for step in range(count):
        parent = id_of(configs[-1]) if configs else None
        checkpoint = new_checkpoint({"step": [step]}, version=f"{step + 1:032}.0")
        metadata = {"source": "loop", "step": step, "parents": {}}
        configs.append(put(saver, config_of(thread_id, parent, ns), checkpoint, metadata))
    return configs


def values_of(saver: Any, config: RunnableConfig) -> dict[str, Any]:
    found = saver.get_tuple(config)
    assert found is not None
    values: dict[str, Any] = found.checkpoint["channel_values"]
    return values
