# SPDX-License-Identifier: Apache-2.0
"""Metrics as Prometheus reads them, records of logging, and spans of OpenTelemetry."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import socket
import socketserver
import subprocess
import sys
import textwrap
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.parser import text_string_to_metric_families

import threadkeep
from conftest import backend_of
from helpers import config_of, new_checkpoint, put, put_chain
from postgres_server import PostgresServer
from threadkeep import metrics
from threadkeep.langgraph import ThreadkeepSaver

PAGE = Path(__file__).parents[3] / "docs" / "operation" / "observability.md"
SECRET = "canary-91d7"
# Nothing listens there.
NOWHERE = f"postgresql://u:{SECRET}@127.0.0.1:1/d"


def value(name: str, **labels: str) -> Any:
    for family in metrics.snapshot():
        for sample in family.samples:
            if family.name == name and labels.items() <= sample.labels.items():
                return sample.value
    return 0


def calls(operation: str, backend: str, outcome: str = "ok") -> Any:
    return value(
        "threadkeep_operations_total", operation=operation, backend=backend, outcome=outcome
    )


# Metrics


def test_calls_are_counted(saver: ThreadkeepSaver, url: str, thread: str) -> None:
    backend = backend_of(url)
    before = [calls(each, backend) for each in ("put", "get", "list")]
    put_chain(saver, thread, 3)
    saver.get_tuple(config_of(thread))
    list(saver.list(config_of(thread)))
    assert [calls(each, backend) for each in ("put", "get", "list")] == [
        before[0] + 3,
        before[1] + 1,
        before[2] + 1,
    ]
    times = value("threadkeep_operation_seconds", operation="put", backend=backend)
    assert isinstance(times, metrics.Histogram)
    assert times.count == sum(
        calls("put", backend, code) for code in ["ok", *threadkeep.errors._BY_CODE]
    )
    assert times.buckets[-1] == (float("inf"), times.count) and times.sum > 0


async def test_the_queue_is_counted(saver: ThreadkeepSaver, url: str, thread: str) -> None:
    backend = backend_of(url)
    waited = value("threadkeep_queue_wait_seconds", backend=backend)
    before = waited.count if waited else 0
    await asyncio.gather(*(saver.aget_tuple(config_of(thread)) for _ in range(10)))
    assert value("threadkeep_queue_depth", backend=backend) == 0
    asked = 10 if saver.store.capabilities.blocking else 0
    assert value("threadkeep_queue_wait_seconds", backend=backend).count == before + asked


def test_an_outage_is_counted_and_no_secret_is_told() -> None:
    before = calls("put_thread", "postgres", "unavailable")
    with threadkeep.open(NOWHERE) as store, pytest.raises(threadkeep.UnavailableError):
        store.put_thread("t", {})
    assert calls("put_thread", "postgres", "unavailable") == before + 1
    assert SECRET not in str(metrics.snapshot())


@pytest.fixture
def registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(metrics.Collector())
    return registry


def test_prometheus_scrapes_them(registry: CollectorRegistry, thread: str) -> None:
    with ThreadkeepSaver("memory:") as saver:
        put_chain(saver, thread, 2)
        server, _ = start_http_server(0, addr="127.0.0.1", registry=registry)
        try:
            address = f"http://127.0.0.1:{server.server_port}/metrics"
            with urllib.request.urlopen(address) as answer:
                text = answer.read().decode()
        finally:
            server.shutdown()
            server.server_close()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    told = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in families.values()
        for sample in family.samples
    }
    for family in metrics.snapshot():
        for sample in family.samples:
            labels = sorted(sample.labels.items())
            if not isinstance(sample.value, metrics.Histogram):
                assert told[(family.name, *labels)] == sample.value
                continue
            assert told[(family.name + "_count", *labels)] == sample.value.count
            assert told[(family.name + "_sum", *labels)] == pytest.approx(sample.value.sum)
            for limit, count in sample.value.buckets:
                le = "+Inf" if limit == float("inf") else repr(limit)
                key = (family.name + "_bucket", *sorted([*labels, ("le", le)]))
                assert told[key] == count
    assert families["threadkeep_operations"].type == "counter"
    assert families["threadkeep_operation_seconds"].type == "histogram"
    assert families["threadkeep_queue_depth"].type == "gauge"


def documented() -> dict[str, tuple[str, list[str]]]:
    """Kind and labels of each metric on the page."""
    rows = re.findall(r"^\| `(threadkeep_\w+)` \| (\w+) \|([^|]*)\|", PAGE.read_text(), re.M)
    return {name: (kind, re.findall(r"`(\w+)`", labels)) for name, kind, labels in rows}


def test_what_is_counted_is_documented(saver: ThreadkeepSaver, thread: str) -> None:
    put_chain(saver, thread, 1)
    names = documented()
    assert len(names) > 5
    for family in metrics.snapshot():
        kind, labels = names[family.name]
        assert family.kind == kind
        for sample in family.samples:
            assert list(sample.labels) == labels


def sweep(folder: Path, *options: str) -> None:
    """As cron starts it: one of two checkpoints goes, and the write that waits for it."""
    url = f"sqlite:{folder / 'agent.db'}"
    with ThreadkeepSaver(url) as saver:
        first, _ = put_chain(saver, "t", 2)
        saver.put_writes(first, [("c", 1)], "task")
    file = folder / "threadkeep.yaml"
    file.write_text(f"url: {url}\nretention: {{policies: [{{name: rest, keep_last: 1}}]}}\n")
    command = [Path(sys.executable).with_name("threadkeep"), "retention"]
    for action in (["apply", "--archive", "optional"], ["sweep", "--yes", *options]):
        subprocess.run([*command, *action, "--config", file], check=True, capture_output=True)


def test_prometheus_reads_what_a_sweep_did(tmp_path: Path) -> None:
    file = tmp_path / "threadkeep.prom"
    sweep(tmp_path, "--metrics-file", str(file))
    families = {each.name: each for each in text_string_to_metric_families(file.read_text())}
    told = {name: each.samples[0].value for name, each in families.items() if "_sweep_" in name}
    assert told.pop("threadkeep_sweep_bytes") > 0
    assert told == {
        "threadkeep_sweep_finished": 1,
        "threadkeep_sweep_threads": 1,
        "threadkeep_sweep_checkpoints": 1,
        "threadkeep_sweep_writes": 1,
    }
    success = families["threadkeep_command_success"].samples[0]
    assert (success.labels, success.value) == ({"command": "retention sweep"}, 1)
    known = {name.removesuffix("_total") for name in documented()}
    assert set(families) <= known


def test_statsd_is_told_what_a_sweep_did(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(0.5)
        sweep(tmp_path, "--statsd", f"127.0.0.1:{server.getsockname()[1]}")
        lines: list[str] = []
        with contextlib.suppress(TimeoutError):
            while True:
                lines += server.recv(65536).decode().splitlines()
    sample = re.compile(r"threadkeep_[\w.]+:-?[\d.]+\|(c|g|ms)(\|@[\d.]+)?")
    assert [line for line in lines if not sample.fullmatch(line)] == []
    assert "threadkeep_sweep_checkpoints:1|g" in lines
    assert "threadkeep_command_success.retention_sweep:1|g" in lines


# Logs

# Fails three times and is then called no more, which is logged.
BREAKS = NOWHERE + "?breaker=on"


def break_one(url: str = BREAKS) -> None:
    with threadkeep.open(url) as store:
        for _ in range(3):
            with pytest.raises(threadkeep.UnavailableError):
                store.put_thread("t", {})


class Collecting(logging.Handler):
    """Keeps records; handle() waits while the gate is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.gate.set()
        self.records: list[logging.LogRecord] = []
        self._changed = threading.Condition()

    def emit(self, record: logging.LogRecord) -> None:
        self.gate.wait()
        with self._changed:
            self.records.append(record)
            self._changed.notify_all()

    def wait_for(self, done: Any) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: done(self.records), 60), self.records


@pytest.fixture
def handler() -> Iterator[Collecting]:
    logger = logging.getLogger("threadkeep")
    handler = Collecting()
    logger.addHandler(handler)
    yield handler
    handler.gate.set()
    logger.removeHandler(handler)


def test_records_go_to_logging(handler: Collecting) -> None:
    break_one()
    handler.wait_for(lambda records: any(each.event == "breaker_opened" for each in records))
    record = next(each for each in handler.records if each.event == "breaker_opened")
    assert record.levelno == logging.WARNING and record.name == "threadkeep"
    assert record.threadName == "threadkeep-log"
    assert record.fields["backend"] == "postgres" and record.fields["role"] == "primary"
    assert "role=primary" in record.getMessage()
    assert SECRET not in str(vars(record))


class Latin1Server(socketserver.StreamRequestHandler):
    """Answers commands of Redis as one whose messages are no UTF-8."""

    def handle(self) -> None:
        while line := self.rfile.readline():
            if line.startswith(b"*"):
                self.wfile.write(b"-LOADING caf\xe9 is loading\r\n")


def test_text_that_is_no_utf_8_is_logged_too(handler: Collecting) -> None:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Latin1Server) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        break_one(f"redis://127.0.0.1:{server.server_address[1]}/0?breaker=on")
        server.shutdown()
    handler.wait_for(lambda records: any("caf\ufffd" in each.getMessage() for each in records))
    break_one()
    handler.wait_for(lambda records: any("postgres" in each.getMessage() for each in records))


def test_a_handler_that_raises_or_is_slow_holds_up_nobody(handler: Collecting) -> None:
    class Raising(logging.Handler):
        def handle(self, record: logging.LogRecord) -> bool:
            raise ValueError(record)

    raising = Raising()
    logging.getLogger("threadkeep").addHandler(raising)
    try:
        handler.gate.clear()
        for _ in range(5):
            break_one()  # the calls end while no record is written
        assert handler.records == []
        handler.gate.set()
        handler.wait_for(lambda records: len(records) >= 5)
    finally:
        logging.getLogger("threadkeep").removeHandler(raising)


def test_records_that_come_too_fast_are_counted(
    handler: Collecting, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "threadkeep")
    handler.gate.clear()
    for _ in range(1500):
        with threadkeep.open("memory:"):
            pass
    handler.gate.set()

    def told(records: list[logging.LogRecord]) -> int:
        opened = sum(each.event == "store_opened" for each in records)
        return opened + sum(int(each.fields["records"]) for each in dropped(records))

    def dropped(records: list[logging.LogRecord]) -> list[logging.LogRecord]:
        return [each for each in records if each.event == "log_records_dropped"]

    handler.wait_for(lambda records: told(records) == 1500)
    assert {each.levelno for each in dropped(handler.records)} == {logging.WARNING}


# Calls of many stores are in flight, and their threads log, when the interpreter exits.
EXITING = """
    import asyncio, logging, sys
    import threadkeep

    logging.basicConfig(format="%(event)s", level=logging.INFO)

    async def main():
        stores = [threadkeep.open(sys.argv[1]) for _ in range(20)]
        calls = [store.aput_thread(str(n), {}) for store in stores for n in range(40)]
        tasks = [asyncio.ensure_future(call) for call in calls]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.add_done_callback(lambda task: task.cancelled() or task.exception())
        globals()["kept"] = stores

    loop = asyncio.new_event_loop()
    loop.run_until_complete(main())
    logging.getLogger("asyncio").disabled = True
    sys.exit(7)
"""


def test_the_interpreter_exits_while_threads_of_stores_log() -> None:
    for _ in range(10):
        done = script(EXITING, BREAKS)
        assert done.returncode == 7, done.stderr
        known = {"store_opened", "breaker_opened", "breaker_closed"}
        assert set(done.stderr.split()) <= known, done.stderr


# The parent logs from another thread all the time, also at the moment of each fork.
FORKING = """
    import logging, os, sys, threading
    import threadkeep

    logging.basicConfig(format="%(process)d %(event)s", level=logging.INFO)

    def break_one():
        with threadkeep.open(sys.argv[1]) as store:
            for _ in range(3):
                try:
                    store.put_thread("t", {})
                except threadkeep.UnavailableError:
                    pass

    stop = threading.Event()

    def log_until_stopped():
        while not stop.is_set():
            break_one()

    break_one()
    worker = threading.Thread(target=log_until_stopped)
    worker.start()
    children = []
    for _ in range(10):
        child = os.fork()
        if child == 0:
            break_one()
            sys.exit(0)  # as a worker ends, with what atexit has
        children.append(child)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    stop.set()
    worker.join()
    print(*children, *codes)
"""


def test_a_forked_child_logs_by_itself() -> None:
    done = script(FORKING, BREAKS)
    assert done.returncode == 0, done.stderr
    told = done.stdout.split()
    children, codes = told[:10], told[10:]
    assert codes == ["0"] * 10
    for child in children:
        assert f"{child} breaker_opened" in done.stderr.splitlines(), done.stderr


def script(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-X", "faulthandler", "-c", textwrap.dedent(code), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def blocks() -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.M | re.S)


def test_the_documentation_runs() -> None:
    assert len(blocks()) == 2
    for code in blocks():
        done = script(code)
        assert done.returncode == 0, done.stderr


# Spans


exporter = InMemorySpanExporter()


@pytest.fixture(scope="module")
def provider() -> TracerProvider:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return provider


@pytest.fixture
def spans(provider: TracerProvider) -> Iterator[InMemorySpanExporter]:
    exporter.clear()
    yield exporter
    exporter.clear()


def names(spans: InMemorySpanExporter) -> list[str]:
    return [span.name for span in spans.get_finished_spans()]


def about(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def test_operations_of_a_saver_are_spans(
    saver: ThreadkeepSaver, url: str, thread: str, spans: InMemorySpanExporter
) -> None:
    stored = put_chain(saver, thread, 2)[-1]
    saver.put_writes(stored, [("c", 1)], "task")
    saver.get_tuple(config=config_of(thread))
    list(saver.list(config_of(thread)))
    saver.copy_thread(thread, thread + "-copy")
    saver.prune([thread])
    saver.delete_thread(thread)
    assert names(spans) == [
        "put", "put", "put_writes", "get_tuple", "list", "copy_thread", "prune", "delete_thread",
    ]  # fmt: skip
    system = {"postgres": "postgresql"}.get(backend_of(url), backend_of(url))
    for span in spans.get_finished_spans():
        assert span.kind == trace.SpanKind.CLIENT
        expected = {"db.system.name": system, "db.operation.name": span.name}
        if span.name != "prune":
            expected["gen_ai.conversation.id"] = thread
        assert about(span) == expected
        assert span.status.status_code == trace.StatusCode.UNSET


async def test_asynchronous_operations_are_spans_below_their_caller(
    saver: ThreadkeepSaver, thread: str, spans: InMemorySpanExporter
) -> None:
    async def one(number: int) -> None:
        with trace.get_tracer("test").start_as_current_span(f"caller {number}"):
            checkpoint = new_checkpoint({"c": number})
            versions = checkpoint["channel_versions"]
            config = await saver.aput(config_of(f"{thread}-{number}"), checkpoint, {}, versions)
            await saver.aput_writes(config, [("c", 1)], "task")
            await saver.aget_tuple(config)
            assert [found async for found in saver.alist(config)]

    await asyncio.gather(*map(one, range(5)))
    finished = spans.get_finished_spans()
    callers = {span.context.span_id: span.name for span in finished if span.parent is None}
    below = sorted((callers[span.parent.span_id], span.name) for span in finished if span.parent)
    operations = ["get_tuple", "list", "put", "put_writes"]
    assert below == [(f"caller {n}", each) for n in range(5) for each in operations]


def test_a_span_says_how_its_operation_failed(spans: InMemorySpanExporter) -> None:
    with ThreadkeepSaver(NOWHERE) as saver:
        with pytest.raises(threadkeep.UnavailableError):
            saver.get_tuple(config_of("t"))
        with pytest.raises(threadkeep.UnavailableError):
            asyncio.run(saver.aget_tuple(config_of("t")))
    for span in spans.get_finished_spans():
        assert about(span)["error.type"] == "unavailable"
        assert span.status.status_code == trace.StatusCode.ERROR
        assert SECRET not in span.to_json()
    assert names(spans) == ["get_tuple", "get_tuple"]


def test_every_operation_of_the_page_is_a_span(
    saver: ThreadkeepSaver, thread: str, spans: InMemorySpanExporter
) -> None:
    *_, last = put_chain(saver, thread, 2)
    saver.put_writes(last, [("c", 1)], "task")
    saver.get_tuple(last)
    list(saver.list(last))
    saver.get_delta_channel_history(config=last, channels=["c"])
    saver.delete_for_runs(["nobody"])
    saver.copy_thread(thread, thread + "-copy")
    saver.prune([thread])
    saver.delete_thread(thread)
    (told,) = re.findall(r"are spans of kind `CLIENT`.*?They", PAGE.read_text(), re.S)
    assert set(names(spans)) == set(re.findall(r"`([a-z_]+)`", told))


def test_a_span_has_the_code_of_the_server(
    postgres_server: PostgresServer, spans: InMemorySpanExporter
) -> None:
    url = postgres_server.threadkeep_url("no_such_database", "public")
    with ThreadkeepSaver(url) as saver, pytest.raises(threadkeep.Error):
        saver.get_tuple(config_of("t"))
    (span,) = spans.get_finished_spans()
    assert about(span)["db.response.status_code"] == "3D000"


def test_a_span_tells_no_payload(spans: InMemorySpanExporter) -> None:
    class Broken(JsonPlusSerializer):
        def dumps_typed(self, obj: Any) -> Any:
            raise ValueError(SECRET)

    with ThreadkeepSaver("memory:", serde=Broken()) as saver:
        with pytest.raises(ValueError, match=SECRET):
            put(saver, config_of("t"), new_checkpoint({"c": [1]}))
    (span,) = spans.get_finished_spans()
    assert about(span)["error.type"] == "ValueError"
    assert SECRET not in span.to_json()


WITHOUT = """
    import sys

    class Absent:
        def find_spec(self, name, path=None, target=None):
            if name.split(".")[0] in ("opentelemetry", "prometheus_client"):
                raise ModuleNotFoundError(name)

    sys.meta_path.insert(0, Absent())
    from threadkeep import metrics
    from threadkeep.langgraph import ThreadkeepSaver
    assert not hasattr(ThreadkeepSaver.put, "__wrapped__")
    with ThreadkeepSaver("memory:") as saver:
        assert saver.get_tuple({"configurable": {"thread_id": "t"}}) is None
        assert list(saver.list(None)) == []
    assert metrics.snapshot()
"""


def test_neither_package_is_needed() -> None:
    done = script(WITHOUT)
    assert done.returncode == 0, done.stderr
