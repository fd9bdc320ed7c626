# SPDX-License-Identifier: Apache-2.0
"""Processes that fork while other threads are inside of calls, and those that end then.

Each script ends by itself: a child that waits for a thread of its parent is killed by an alarm.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
import urllib.parse
from pathlib import Path

import pytest

from conftest import backend_of
from helpers import config_of, values_of
from postgres_server import BYTEWISE, PostgresServer
from test_processes import finish, python
from threadkeep.langgraph import ThreadkeepSaver

HERE = os.path.dirname(__file__)
LAYERS = "try_timeout=30s&retry=3&breaker=on"

# Threads that block, a loop that does not, and a thread that only logs; `inherited_is_refused` and
# `own_works` are what children do.
LOAD = """
    import asyncio, faulthandler, logging, os, signal, sys, threading, time
    sys.path.insert(0, sys.argv[1])
    import threadkeep
    from helpers import config_of, new_checkpoint, put
    from threadkeep.langgraph import ThreadkeepSaver

    url, own_url, refusal = sys.argv[2:5]
    logging.getLogger("threadkeep").addHandler(logging.StreamHandler(open(os.devnull, "w")))
    saver = ThreadkeepSaver(url)
    store = saver.store
    stop = threading.Event()
    calls = 0

    def block(name):
        global calls
        while not stop.is_set():
            put(saver, config_of(name), new_checkpoint({"c": b"x" * 50_000, "n": 1}))
            saver.get_tuple(config_of(name))
            calls += 1

    async def many():
        while not stop.is_set():
            writes = [("c", b"y" * 50_000)]
            given = config_of("t", "c")
            await asyncio.gather(*(saver.aput_writes(given, writes, f"a-{n}") for n in range(20)))

    def break_stores():
        while not stop.is_set():
            with threadkeep.open("postgresql://u@127.0.0.1:1/d?breaker=on") as broken:
                for _ in range(3):
                    try:
                        broken.put_thread("t", {})
                    except threadkeep.UnavailableError:
                        pass

    def is_refused(call):
        try:
            call()
        except threadkeep.UnsupportedError as error:
            return "fork" in str(error)
        return False

    def inherited_is_refused():
        assert is_refused(lambda: put(saver, config_of("t"), new_checkpoint({"c": [1], "n": 1})))
        assert is_refused(lambda: saver.get_tuple(config_of("t")))
        assert is_refused(lambda: asyncio.run(saver.aget_tuple(config_of("t"))))
        assert is_refused(store.ping)
        assert is_refused(store.close)

    def own_works():
        with ThreadkeepSaver(own_url) as own:
            mine = config_of(f"child-{os.getpid()}")
            put(own, mine, new_checkpoint({"c": [1]}))
            assert own.get_tuple(mine) is not None
            assert asyncio.run(own.aget_tuple(mine)) is not None

    def in_child():
        signal.alarm(60)
        faulthandler.dump_traceback_later(50)
        inherited_is_refused()
        if refusal == "may be refused":
            try:
                own_works()
            except threadkeep.UnsupportedError as error:
                assert "fork" in str(error)
        else:
            own_works()

    works = [lambda: block("b"), lambda: asyncio.run(many()), break_stores]
    threads = [threading.Thread(target=work, daemon=True) for work in works]
    for thread in threads:
        thread.start()
    while calls < 5:
        time.sleep(0.01)
"""

FORKING = (
    LOAD
    + """
    for number in range(8):
        time.sleep(number * 37 % 100 / 10_000)
        child = os.fork()
        if child == 0:
            in_child()
            if number % 2:
                os._exit(0)
            sys.exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, number
    stop.set()
    for thread in threads:
        thread.join()
    saver.get_tuple(config_of("t"))
"""
)


def with_layers(url: str) -> str:
    return url + ("&" if "?" in url else "?") + LAYERS


def may_be_refused(url: str) -> str:
    return "may be refused" if backend_of(url) == "sqlite" else ""


def test_forks_under_load(url: str) -> None:
    finish(python(FORKING, HERE, with_layers(url), url, may_be_refused(url)), 240)


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> str:
    return postgres_server.threadkeep_url(BYTEWISE, postgres_server.schema(BYTEWISE, adopted=False))


def test_forks_with_a_fallback_under_load(postgres_url: str) -> None:
    url = postgres_url + "&fallback=memory%3A"
    finish(python(FORKING, HERE, url, url, ""), 240)


def test_forks_of_a_tiered_store_under_load(postgres_url: str) -> None:
    url = "tiered:?hot=memory%3A&durable=" + urllib.parse.quote(with_layers(postgres_url), safe="")
    finish(python(FORKING, HERE, url, postgres_url, ""), 240)


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_multiprocessing(durable_url: str, method: str, tmp_path: Path) -> None:
    """A pool beside a store that is in use; what a worker opens is its own."""
    program = tmp_path / "program.py"
    program.write_text(
        """
import multiprocessing, os, sys
sys.path.insert(0, sys.argv[1])
import threadkeep
from helpers import config_of, new_checkpoint, put, values_of
from threadkeep.langgraph import ThreadkeepSaver

saver = None

def work(number):
    if sys.argv[3] == "fork":
        try:
            saver.get_tuple(config_of("t"))
        except threadkeep.UnsupportedError:
            pass
        else:
            raise AssertionError("a store of the parent was used")
    with ThreadkeepSaver(sys.argv[2]) as own:
        put(own, config_of(f"worker-{number}"), new_checkpoint({"c": [number]}))
    return os.getpid()

if __name__ == "__main__":
    saver = ThreadkeepSaver(sys.argv[2])
    put(saver, config_of("t"), new_checkpoint({"c": ["parent"]}))
    with multiprocessing.get_context(sys.argv[3]).Pool(3) as pool:
        assert os.getpid() not in pool.map(work, range(12))
        pool.close()
        pool.join()
    assert values_of(saver, config_of("t")) == {"c": ["parent"]}
    assert [values_of(saver, config_of(f"worker-{n}"))["c"] for n in range(12)] == [
        [n] for n in range(12)
    ]
"""
    )
    command = [sys.executable, str(program), HERE, durable_url, method]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    finish(process, 120)


# As gunicorn does with --preload: the master opens and uses a store, its workers are forked, serve,
# end, and are replaced.
PREFORK = """
    import os, signal, sys, time
    sys.path.insert(0, sys.argv[1])
    import threadkeep
    from helpers import config_of, new_checkpoint, put, values_of
    from threadkeep.langgraph import ThreadkeepSaver

    class Application:
        # The saver of this process: what the master opened is of no use to a worker.
        def __init__(self):
            self.process = os.getpid()
            self.saver = ThreadkeepSaver(sys.argv[2])

    application = Application()
    put(application.saver, config_of("t"), new_checkpoint({"c": ["master"]}))

    def serve(number):
        global application
        signal.alarm(60)
        try:
            application.saver.get_tuple(config_of("t"))
            sys.exit(3)
        except threadkeep.UnsupportedError:
            application = Application()
        given = new_checkpoint({"c": [number]})
        put(application.saver, config_of(f"worker-{number}"), given)
        assert values_of(application.saver, config_of("t")) == {"c": ["master"]}

    running = {}
    for number in range(8):
        if len(running) == 3:
            ended, status = os.wait()
            assert running.pop(ended) is not None and status == 0, status
        child = os.fork()
        if child == 0:
            serve(number)
            sys.exit(0)
        running[child] = number
    while running:
        ended, status = os.wait()
        assert running.pop(ended) is not None and status == 0, status
    for number in range(8):
        assert values_of(application.saver, config_of(f"worker-{number}")) == {"c": [number]}
"""


def test_workers_of_a_server_that_forks(durable_url: str) -> None:
    finish(python(PREFORK, HERE, durable_url), 120)


APPLICATION = """
    import os
    import threadkeep
    from helpers import config_of, new_checkpoint, put
    from threadkeep.langgraph import ThreadkeepSaver

    url = os.environ["STORE_URL"]
    inherited = ThreadkeepSaver(url)
    put(inherited, config_of("t"), new_checkpoint({"c": ["master"]}))
    own = None

    def application(environ, start_response):
        global own
        try:
            inherited.get_tuple(config_of("t"))
            told = "used"
        except threadkeep.UnsupportedError:
            told = "refused"
        own = own or ThreadkeepSaver(url)
        put(own, config_of(f"worker-{os.getpid()}"), new_checkpoint({"c": [told]}))
        body = f"{told} {os.getpid()}".encode()
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]
"""


def answer(place: Path) -> list[str]:
    """What a server tells at a socket, waited for as long as it is not there."""
    end = time.monotonic() + 60
    while not place.exists() and time.monotonic() < end:
        time.sleep(0.05)
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(60)
        client.connect(str(place))
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        text = b"".join(iter(lambda: client.recv(4096), b""))
    return text.decode().rpartition("\r\n")[2].split()


def test_gunicorn_with_preload(durable_url: str, tmp_path: Path) -> None:
    """The master uses a store; workers are refused it, open their own, and are replaced."""
    (tmp_path / "application.py").write_text(textwrap.dedent(APPLICATION))
    place = tmp_path / "socket"
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--preload", "--workers", "2", "--bind", f"unix:{place}",
         "application"],
        cwd=tmp_path,
        env={**os.environ, "STORE_URL": durable_url, "PYTHONPATH": f"{tmp_path}:{HERE}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    try:
        answers = [answer(place) for _ in range(20)]
        server.send_signal(signal.SIGHUP)  # new workers in place of these
        end = time.monotonic() + 60
        while len({process for _, process in answers}) < 3 and time.monotonic() < end:
            answers.append(answer(place))
    finally:
        server.terminate()
    out, err = server.communicate(timeout=60)
    assert server.returncode == 0, out + err
    assert "Traceback" not in err, err
    processes = {process for _, process in answers}
    assert {told for told, _ in answers} == {"refused"} and len(processes) > 2
    with ThreadkeepSaver(durable_url) as saver:
        for process in processes:
            assert values_of(saver, config_of(f"worker-{process}")) == {"c": ["refused"]}


# The interpreter ends while calls are under way, records are logged and metrics are scraped. Daemon
# threads of a program may fail then, which is not told here.
ENDING = (
    LOAD
    + """
    import urllib.request
    from prometheus_client import CollectorRegistry, start_http_server
    from threadkeep.metrics import Collector

    threading.excepthook = lambda arguments: None
    logging.getLogger("asyncio").disabled = True
    registry = CollectorRegistry()
    registry.register(Collector())
    server, _ = start_http_server(0, addr="127.0.0.1", registry=registry)
    scrapes = 0

    def scrape():
        global scrapes
        while True:
            urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/metrics").read()
            scrapes += 1

    threading.Thread(target=scrape, daemon=True).start()
    while scrapes == 0:
        time.sleep(0.001)
"""
)


@pytest.mark.parametrize("end", ["pass", "sys.exit(0)", "os._exit(0)"])
def test_the_interpreter_ends_under_load(url: str, end: str) -> None:
    for _ in range(3):
        finish(python(ENDING + f"    {end}\n", HERE, with_layers(url), url, ""), 60)


@pytest.mark.parametrize("layer", ["fallback", "tiered"])
def test_the_interpreter_ends_under_load_with(layer: str, postgres_url: str) -> None:
    hot = "tiered:?hot=memory%3A&durable=" + urllib.parse.quote(postgres_url, safe="")
    url = {"fallback": postgres_url + "&fallback=memory%3A", "tiered": hot}[layer]
    for _ in range(3):
        finish(python(ENDING + "    pass\n", HERE, url, url, ""), 60)
