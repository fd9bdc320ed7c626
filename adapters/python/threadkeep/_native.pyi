# SPDX-License-Identifier: Apache-2.0
"""The extension module: requests on a store, and the two ways to make them.

A request function checks its arguments and returns a Request. Store.call makes it and returns the
answer; Store.submit makes it in the background. Each request can be made once. What it answers is
written beside its function.
"""

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias, TypedDict

from threadkeep.filters import Filter

version: str

# channel, version, type, bytes
BlobRow: TypeAlias = tuple[str, str, str, bytes]
# idx, channel, type, bytes
NewWriteRow: TypeAlias = tuple[int, str, str, bytes]
# task_id, idx, channel, task_path, type, bytes
WriteRow: TypeAlias = tuple[str, int, str, str, str, bytes]
# thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, document, metadata, values, writes
CheckpointRow: TypeAlias = tuple[
    str, str, str, str | None, str, str, Sequence[BlobRow], Sequence[WriteRow]
]
# channel, seed, inline_seed, writes
HistoryRow: TypeAlias = tuple[str, BlobRow | None, str | None, Sequence[WriteRow]]
# thread_id, created_at, updated_at, revision, metadata
ThreadRow: TypeAlias = tuple[str, int, int, int, str]

# id, role, content, metadata
NewMessageRow: TypeAlias = tuple[str, str, str, str]
# stream, seq, id, role, content, metadata, created_at, version
MessageRow: TypeAlias = tuple[str, int, str, str, str, str, int, int]
# key, value, version
DocumentRow: TypeAlias = tuple[str, str, int]
# kind, key, value, expected_version
ChangeRow: TypeAlias = tuple[str, str, str, int | None]
# changed, kept, dropped, messages (without role, content and metadata but of a pop), versions,
# revision
WrittenRow: TypeAlias = tuple[int, int, int, Sequence[MessageRow], Sequence[int], int]

# policy, reason, threads, checkpoints, writes, values, bytes
DueRow: TypeAlias = tuple[str, str, int, int, int, int, int]
# run (0: another one is under way), finished, threads, checkpoints, writes, bytes, busy, collected,
# summary
SweptRow: TypeAlias = tuple[int, bool, int, int, int, int, int, int, int, int, str]

class _Capabilities(TypedDict):
    name: str
    durable: bool
    blocking: bool
    max_value_bytes: int
    sessions: bool

class Request: ...

# The writes answer WrittenRow.
def put(
    thread_id: str,
    checkpoint_ns: str,
    checkpoint_id: str,
    parent_checkpoint_id: str | None,
    document: str,
    metadata: str,
    blobs: Iterable[BlobRow],
    require_latest_parent: bool = False,
) -> Request: ...
def put_writes(
    thread_id: str,
    checkpoint_ns: str,
    checkpoint_id: str,
    task_id: str,
    task_path: str,
    rows: Iterable[NewWriteRow],
) -> Request: ...
def put_thread(thread_id: str, metadata: str) -> Request: ...
def delete_thread(thread_id: str) -> Request: ...
def delete_runs(run_ids: Sequence[str]) -> Request: ...
def copy_thread(source_thread_id: str, target_thread_id: str) -> Request: ...
def prune(thread_id: str) -> Request: ...

# CheckpointRow | None
def get(
    thread_id: str,
    checkpoint_ns: str,
    checkpoint_id: str | None,
    values: bool = True,
    writes: bool = True,
) -> Request: ...

# (list[CheckpointRow], cursor of the next page or "")
def list(
    thread_id: str | None,
    checkpoint_ns: str | None,
    checkpoint_id: str | None,
    before: str | None,
    filter: Iterable[tuple[str, str]],
    values: bool,
    writes: bool,
    limit: int,
    cursor: str,
) -> Request: ...

# list[HistoryRow]
def history(
    thread_id: str, checkpoint_ns: str, checkpoint_id: str | None, channels: Sequence[str]
) -> Request: ...

# (list[ThreadRow], cursor of the next page or "")
def threads(filter: Iterable[tuple[str, str]], limit: int, cursor: str) -> Request: ...

# Writes of messages and state
def append_messages(
    thread_id: str,
    stream: str,
    messages: Iterable[NewMessageRow],
    state: Iterable[ChangeRow],
    operation_id: str,
    expected_revision: int | None,
) -> Request: ...
def update_message(
    thread_id: str,
    id: str,
    content: str | None,
    metadata: str | None,
    expected_version: int | None,
) -> Request: ...
def remove_messages(thread_id: str, ids: Sequence[str]) -> Request: ...
def pop_messages(thread_id: str, stream: str, count: int, operation_id: str) -> Request: ...
def clear_messages(thread_id: str, stream: str | None) -> Request: ...

# A scope is (thread_id, name).
def change_state(scope: tuple[str, str], changes: Iterable[ChangeRow]) -> Request: ...

# (list[MessageRow], cursor of the next page or "")
def messages(
    thread_id: str,
    stream: str,
    backward: bool,
    after: int,
    filter: Filter | None,
    limit: int,
    max_bytes: int,
    cursor: str,
) -> Request: ...

# list[MessageRow]
def tail_messages(thread_id: str, stream: str, count: int, filter: Filter | None) -> Request: ...

# MessageRow | None
def message(thread_id: str, id: str) -> Request: ...

# int
def count_messages(thread_id: str, stream: str, after: int, filter: Filter | None) -> Request: ...

# DocumentRow | None
def state(scope: tuple[str, str], key: str) -> Request: ...

# (list[DocumentRow], cursor of the next page or "")
def states(scope: tuple[str, str], limit: int, max_bytes: int, cursor: str) -> Request: ...

# ThreadRow | None
def thread(thread_id: str) -> Request: ...

# (ok, detail)
def ping() -> Request: ...

# None
def setup() -> Request: ...

# Retention. Policies are JSON, an array of objects.

# None
def install_retention() -> Request: ...

# None
def apply_policies(policies: str) -> Request: ...

# str
def stored_policies() -> Request: ...

# list[DueRow]
def preview_retention(policies: str | None) -> Request: ...

# SweptRow
def sweep(max_threads: int, batch_size: int, time_budget: float) -> Request: ...

# int
def refresh_threads(thread_ids: Sequence[str]) -> Request: ...

# None
def expire_thread(thread_id: str, at: int | None) -> Request: ...

# int
def pin_thread(thread_id: str, set: bool) -> Request: ...

# Equal policies have equal texts.
def normal_policies(policies: str) -> str: ...
def schemes() -> Sequence[str]: ...
def redacted(url: str) -> str: ...
def shared_payloads() -> int: ...

# name, help, kind, samples; a sample is labels, value, counts of the buckets, sum
SampleRow: TypeAlias = tuple[dict[str, str], float, Sequence[int], float]
MetricRow: TypeAlias = tuple[str, str, str, Sequence[SampleRow]]

# Upper limits of the buckets of histograms, in seconds; one more bucket is above the last.
bucket_limits: tuple[float, ...]

def metrics() -> Sequence[MetricRow]: ...

# level, event, message, fields
LogRow: TypeAlias = tuple[str, str, str, dict[str, str]]

# Log records go to a new queue from now on.
def log_open() -> None: ...

# Waits for records: they, how many were dropped, and whether these were the last.
def log_take() -> tuple[Sequence[LogRow], int, bool]: ...
def log_close() -> None: ...

class PendingCall:
    def cancel(self) -> None: ...

class CompletionQueue:
    def fileno(self) -> int: ...
    def drain(self) -> Sequence[tuple[int, Any, BaseException | None]]: ...

class Store:
    def __init__(self, url: str) -> None: ...
    def call(
        self, request: Request, timeout: float | None, pending: PendingCall | None = None
    ) -> Any: ...
    def submit(
        self, request: Request, timeout: float | None, queue: CompletionQueue, token: int
    ) -> PendingCall: ...
    def close(self) -> None: ...
    def capabilities(self) -> _Capabilities: ...

def stores_end() -> None: ...
def stores_begin_anew() -> None: ...
