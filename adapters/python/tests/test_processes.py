# SPDX-License-Identifier: Apache-2.0
"""Processes that are killed, forked, or end while calls are in flight."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

import threadkeep
from helpers import config_of, new_checkpoint, put, values_of
from threadkeep.langgraph import ThreadkeepSaver

AGENT = """
    import operator, os, sys, time
    from typing import Annotated, TypedDict
    from langgraph.graph import START, StateGraph
    from langgraph.types import Send
    from threadkeep.langgraph import ThreadkeepSaver

    url, ledger, hang, command = sys.argv[1:5]

    def note(text):
        with open(ledger, "a") as file:
            file.write(text + "\\n")

    class State(TypedDict):
        done: Annotated[list[str], operator.add]

    def work(name):
        note(f"{name} begins")
        if name == "slow":
            time.sleep(float(hang))
        note(f"{name} ends")
        return {"done": [name]}

    graph = StateGraph(State)
    graph.add_node("work", work)
    graph.add_conditional_edges(START, lambda state: [Send("work", n) for n in ("quick", "slow")])
    agent = graph.compile(checkpointer=ThreadkeepSaver(url))
    given = {"done": []} if command == "start" else None
    result = agent.invoke(given, {"configurable": {"thread_id": "t"}}, durability=sys.argv[5])
    print(sorted(result["done"]))
"""


def python(code: str, *arguments: str, **options: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-X", "faulthandler", "-c", textwrap.dedent(code), *arguments]
    return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


def finish(process: subprocess.Popen[str], seconds: float = 60) -> str:
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)  # Makes faulthandler print the stacks.
        out, err = process.communicate()
    assert process.returncode == 0, f"exit {process.returncode}\n{out}\n{err}"
    assert err == ""
    return out


@pytest.mark.parametrize("durability", ["sync", "async"])
def test_a_killed_super_step_is_resumed(durable_url: str, tmp_path: Path, durability: str) -> None:
    ledger = tmp_path / "ledger"
    first = python(AGENT, durable_url, str(ledger), "600", "start", durability)
    give_up = time.monotonic() + 60
    with ThreadkeepSaver(durable_url) as saver:
        while True:  # Until the store itself shows the quick task's write.
            assert first.poll() is None and time.monotonic() < give_up
            found = saver.get_tuple(config_of("t"))
            if found and ("done", ["quick"]) in [each[1:] for each in found.pending_writes or []]:
                break
            time.sleep(0.02)
    first.send_signal(signal.SIGKILL)
    assert first.wait(10) == -signal.SIGKILL
    first.communicate()
    second = python(AGENT, durable_url, str(ledger), "0", "resume", durability)
    assert finish(second) == "['quick', 'slow']\n"
    lines = ledger.read_text().splitlines()
    assert lines.count("quick begins") == 1 and lines.count("slow begins") == 2
    assert lines.count("slow ends") == 1


def test_two_processes_on_one_thread(durable_url: str) -> None:
    code = """
        import sys
        from threadkeep.langgraph import ThreadkeepSaver
        url, task = sys.argv[1:]
        config = {"configurable": {"thread_id": "t", "checkpoint_id": "c"}}
        with ThreadkeepSaver(url) as saver:
            for number in range(100):
                saver.put_writes(config, [("c", number)], f"{task}-{number:03}")
    """
    with ThreadkeepSaver(durable_url) as saver:
        put(saver, config_of("t"), new_checkpoint(id="c"))
        for process in [python(code, durable_url, name) for name in ("one", "two")]:
            finish(process)
        found = saver.get_tuple(config_of("t", "c"))
        assert found is not None and len(found.pending_writes or []) == 200


def test_exit_without_closing(durable_url: str) -> None:
    code = """
        import sys, threadkeep
        from threadkeep.langgraph import ThreadkeepSaver
        saver = ThreadkeepSaver(sys.argv[1])
        config = {"configurable": {"thread_id": "t", "checkpoint_id": "c"}}
        saver.put_writes(config, [("c", 1)], "x")
    """
    finish(python(code, durable_url))


@pytest.mark.parametrize("end", ["return", "sys.exit(0)", "raise SystemExit"])
def test_exit_with_calls_in_flight(url: str, end: str) -> None:
    """Blocking calls on daemon threads, a loop on another, and payloads that are referred to."""
    code = f"""
        import asyncio, sys, threading, time
        from threadkeep.langgraph import ThreadkeepSaver
        saver = ThreadkeepSaver(sys.argv[1])
        config = {{"configurable": {{"thread_id": "t", "checkpoint_id": "c"}}}}
        calls = 0

        def block(name):
            global calls
            for number in range(10**9):
                try:
                    saver.put_writes(config, [("c", b"x" * 100_000)], f"{{name}}-{{number}}")
                    calls += 1
                except Exception:
                    return

        async def many():
            while True:
                writes = [("c", b"y" * 100_000)]
                await asyncio.gather(
                    *(saver.aput_writes(config, writes, f"a-{{n}}") for n in range(50)),
                    return_exceptions=True,
                )

        def main():
            for name in range(4):
                threading.Thread(target=block, args=(name,), daemon=True).start()
            threading.Thread(target=lambda: asyncio.run(many()), daemon=True).start()
            while calls < 20:
                time.sleep(0.01)
            {end}

        main()
    """
    for _ in range(5):
        finish(python(code, url), 30)


def test_exit_of_a_run_that_was_interrupted(durable_url: str) -> None:
    code = """
        import asyncio, sys
        from threadkeep.langgraph import ThreadkeepSaver
        saver = ThreadkeepSaver(sys.argv[1])
        config = {"configurable": {"thread_id": "t", "checkpoint_id": "c"}}

        async def main():
            for number in range(200):
                asyncio.create_task(saver.aput_writes(config, [("c", number)], f"a-{number}"))
            await asyncio.sleep(0)

        asyncio.run(main())
    """
    finish(python(code, durable_url))


def test_ctrl_c_ends_a_program(durable_url: str) -> None:
    # Whoever runs in the background inherits that SIGINT is ignored.
    code = """
        import signal, sys
        from threadkeep.langgraph import ThreadkeepSaver
        signal.signal(signal.SIGINT, signal.default_int_handler)
        saver = ThreadkeepSaver(sys.argv[1])
        config = {"configurable": {"thread_id": "t", "checkpoint_id": "c"}}
        print("ready", flush=True)
        for number in range(10**9):
            saver.put_writes(config, [("c", number)], f"task-{number}")
    """
    process = python(code, durable_url)
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    try:
        _, err = process.communicate(timeout=20)
    finally:
        process.kill()
    assert "KeyboardInterrupt" in err and process.returncode in (1, 130, -signal.SIGINT)


def test_a_forked_child_gets_a_typed_error(url: str, thread: str) -> None:
    store = threadkeep.open(url)
    saver = ThreadkeepSaver(store)
    put(saver, config_of(thread), new_checkpoint({"c": 1}))
    child = os.fork()
    if child == 0:
        code = 1
        try:
            saver.get_tuple(config_of(thread))
        except threadkeep.UnsupportedError as error:
            code = 0 if "process" in str(error) else 2
        del saver, store
        os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert values_of(saver, config_of(thread)) == {"c": 1}
    store.close()


def test_a_forked_child_opens_its_own(durable_url: str) -> None:
    code = """
        import os, sys
        from threadkeep.langgraph import ThreadkeepSaver
        config = {"configurable": {"thread_id": "t", "checkpoint_id": "c"}}
        saver = ThreadkeepSaver(sys.argv[1])
        saver.put_writes(config, [("c", 1)], "parent")
        if os.fork() == 0:
            ThreadkeepSaver(sys.argv[1]).put_writes(config, [("c", 2)], "child")
            sys.exit(0)  # Runs the exit handlers, with the parent's store in memory.
        assert os.wait()[1] == 0
        saver.put_writes(config, [("c", 3)], "parent again")
        saver.put(
            {"configurable": {"thread_id": "t"}},
            {"v": 4, "id": "c", "channel_values": {}, "channel_versions": {}}, {}, {},
        )
        print(len(saver.get_tuple(config).pending_writes))
    """
    assert finish(python(code, durable_url)) == "3\n"
