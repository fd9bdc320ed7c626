# SPDX-License-Identifier: Apache-2.0
"""Session stores used by many: threads, processes, event loops, savers; and their end."""

from __future__ import annotations

import asyncio
import inspect
import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import threadkeep
from helpers import config_of, new_checkpoint, put, values_of
from test_processes import finish, python
from threadkeep import NewMessage, SessionStore, StateChange, StateDocument, StateScope
from threadkeep.langgraph import ThreadkeepSaver

VISITS = "visits"


def one_more(found: StateDocument | None) -> tuple[int, int]:
    """The next value of a counter, and the version that it expects."""
    return (found.value + 1, found.version) if found else (1, 0)


def numbers(count: int) -> list[NewMessage]:
    return [NewMessage("user", number) for number in range(count)]


def in_threads(count: int, work: Callable[[int], None]) -> None:
    """Runs work(0), work(1) ... at the same time; raises what one of them raises."""
    begin, errors = threading.Barrier(count), []

    def run(number: int) -> None:
        begin.wait(30)
        try:
            work(number)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not any(thread.is_alive() for thread in threads)
    if errors:
        raise errors[0]


def test_every_method_has_a_twin_of_the_same_form() -> None:
    public = {
        name: member
        for name, member in vars(SessionStore).items()
        if inspect.isfunction(member) and not name.startswith("_") and name != "close"
    }
    blocking = {name for name in public if f"a{name}" in public}
    assert blocking | {f"a{name}" for name in blocking} == set(public) and len(blocking) == 18
    for name in blocking:
        twin = public[f"a{name}"]
        form, other = inspect.signature(public[name]), inspect.signature(twin)
        assert form.parameters == other.parameters and "Operation" not in str(form)
        assert str(other.return_annotation).endswith(str(form.return_annotation))
        assert twin.__doc__ == f"As :meth:`{name}`." and twin.__name__ == f"a{name}"
        assert inspect.iscoroutinefunction(twin) != inspect.isgeneratorfunction(
            inspect.unwrap(public[name])
        ) or name in ("messages", "states")


# Threads and tasks


def test_two_poppers_never_get_one_message(store: threadkeep.Store, thread: str) -> None:
    sessions = SessionStore(store)
    got: list[list[int]] = [[] for _ in range(8)]
    sessions.append(thread, numbers(200))

    def pop(number: int) -> None:
        while popped := sessions.pop(thread, 3).messages:
            got[number] += [message.content for message in popped]

    in_threads(8, pop)
    assert sorted(sum(got, [])) == list(range(200))


def test_a_counter_from_eight_threads(store: threadkeep.Store, thread: str) -> None:
    sessions, scope = SessionStore(store, timeout=120), StateScope.named(thread)

    def visit(_: int) -> None:
        for _ in range(10):
            while True:
                value, version = one_more(sessions.state(scope, VISITS))
                try:
                    sessions.put_state(scope, VISITS, value, expected_version=version)
                    break
                except threadkeep.ConflictError:
                    pass

    in_threads(8, visit)
    found = sessions.state(scope, VISITS)
    assert found is not None and found.value == found.version == 80


async def test_a_counter_from_many_tasks(store: threadkeep.Store, thread: str) -> None:
    sessions, scope = SessionStore(store, timeout=120), StateScope.of_thread(thread)

    async def visit() -> None:
        while True:
            value, version = one_more(await sessions.astate(scope, VISITS))
            try:
                await sessions.aput_state(scope, VISITS, value, expected_version=version)
                return
            except threadkeep.ConflictError:
                pass

    await asyncio.gather(*(visit() for _ in range(20)))
    found = await sessions.astate(scope, VISITS)
    assert found is not None and found.value == found.version == 20


async def test_calls_of_one_thread_keep_their_order(store: threadkeep.Store, thread: str) -> None:
    sessions = SessionStore(store)
    calls: list[Any] = [sessions.aappend(thread, [message]) for message in numbers(50)]
    *_, count = await asyncio.gather(*calls, sessions.acount(thread))
    assert count == 50
    assert [message.content async for message in sessions.amessages(thread)] == list(range(50))


def test_appends_from_threads_have_no_gap(store: threadkeep.Store, thread: str) -> None:
    sessions = SessionStore(store)

    def append(number: int) -> None:
        for count in range(10):
            sessions.append(thread, [NewMessage("user", [number, count])])

    in_threads(8, append)
    messages = list(sessions.messages(thread))
    assert [message.seq for message in messages] == list(range(1, 81))
    for number in range(8):
        mine = [message.content[1] for message in messages if message.content[0] == number]
        assert mine == list(range(10))


# Deadlines, cancellation, the GIL


async def test_a_deadline_ends_a_call(durable_url: str, thread: str) -> None:
    with threadkeep.open(durable_url) as store:
        late = SessionStore(store, timeout=0)
        with pytest.raises(threadkeep.DeadlineError):
            late.append(thread, numbers(1))
        with pytest.raises(TimeoutError):
            await late.atail(thread)
        assert SessionStore(store).count(thread) == 0
        with pytest.raises(threadkeep.InvalidArgumentError, match="timeout"):
            SessionStore(store, timeout=-1)


async def test_a_cancelled_call_that_waits_is_not_carried_out(
    durable_url: str, thread: str
) -> None:
    with SessionStore(durable_url) as sessions:
        await sessions.aappend(thread, numbers(1))
        first = [asyncio.ensure_future(sessions.aappend(thread, [m])) for m in numbers(200)]
        last = asyncio.ensure_future(sessions.aappend(thread, numbers(1), operation_id="last"))
        await asyncio.sleep(0)
        last.cancel()
        with pytest.raises(asyncio.CancelledError):
            await last
        await asyncio.gather(*first)
        # It had 200 calls of its thread before it; sent again it is stored once either way.
        await sessions.aappend(thread, numbers(1), operation_id="last")
        assert await sessions.acount(thread) == 202


async def test_a_cancelled_pop_can_be_sent_again(durable_url: str, thread: str) -> None:
    with SessionStore(durable_url) as sessions:
        for number in range(20):
            await sessions.aappend(thread, numbers(2), operation_id=f"append {number}")
            task = asyncio.ensure_future(sessions.apop(thread, 2, operation_id=f"pop {number}"))
            await asyncio.sleep(number / 10_000)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            popped = await sessions.apop(thread, 2, operation_id=f"pop {number}")
            assert [message.content for message in popped.messages] == [0, 1]
            assert await sessions.acount(thread) == 0


def test_the_gil_is_released(durable_url: str, thread: str) -> None:
    """Another thread of Python goes on while a call waits for the store."""
    with SessionStore(durable_url) as sessions:
        ticks, running = 0, True

        def tick() -> None:
            nonlocal ticks
            while running:
                ticks += 1
                time.sleep(0.001)

        ticker = threading.Thread(target=tick)
        ticker.start()
        content = "x" * 10_000_000
        before, begin = ticks, time.monotonic()
        sessions.append(thread, [NewMessage("user", content)])
        elapsed, during = time.monotonic() - begin, ticks - before
        running = False
        ticker.join()
    assert during > elapsed / 0.1, f"{during} ticks in {elapsed:.3f} s"


# One store for several


async def test_a_saver_and_a_session_store_share_a_store(url: str, thread: str) -> None:
    async with ThreadkeepSaver(url) as saver:
        with SessionStore(saver.store) as sessions:
            put(saver, config_of(thread), new_checkpoint({"c": 1}))
            sessions.append(thread, numbers(3), state=[StateChange.put("k", 1)])
            assert values_of(saver, config_of(thread)) == {"c": 1}
            assert sessions.count(thread) == 3
        assert saver.store.ping().ok  # It was handed in, so it stays open.
        saver.delete_thread(thread)
        assert await sessions.acount(thread) == 0


async def test_a_session_store_closes_what_it_opened(url: str, thread: str) -> None:
    async with SessionStore(url) as sessions:
        await sessions.aappend(thread, numbers(1))
    with SessionStore(url) as other:
        other.append(thread, numbers(1))
    for closed in (sessions, other):
        with pytest.raises(threadkeep.InvalidArgumentError, match="closed"):
            closed.count(thread)
        with pytest.raises(threadkeep.InvalidArgumentError, match="closed"):
            await closed.acount(thread)
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(sessions)
    with pytest.raises(threadkeep.InvalidArgumentError, match="store must be a URL"):
        SessionStore(Path("agent.db"))  # type: ignore[arg-type]
    assert "SessionStore('" in repr(sessions)


def test_a_forked_child_gets_a_typed_error(url: str, thread: str) -> None:
    sessions = SessionStore(url)
    sessions.append(thread, numbers(1))
    child = os.fork()
    if child == 0:
        code = 1
        try:
            sessions.count(thread)
        except threadkeep.UnsupportedError as error:
            code = 0 if "process" in str(error) else 2
        os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert sessions.count(thread) == 1
    sessions.close()


# Processes


def test_processes_pop_each_message_once(durable_url: str) -> None:
    code = """
        import sys
        from threadkeep import SessionStore
        with SessionStore(sys.argv[1]) as sessions:
            while popped := sessions.pop("jobs", 2).messages:
                print(*(message.content for message in popped))
    """
    with SessionStore(durable_url) as sessions:
        sessions.append("jobs", numbers(150))
        outputs = [finish(each) for each in [python(code, durable_url) for _ in range(3)]]
        assert sorted(int(number) for out in outputs for number in out.split()) == list(range(150))
        assert sessions.count("jobs") == 0


def test_processes_count_together(durable_url: str) -> None:
    code = """
        import os, sys
        from threadkeep import ConflictError, SessionStore, StateScope
        scope = StateScope.named("user:7")
        with SessionStore(sys.argv[1]) as sessions:
            for _ in range(40):
                while True:
                    found = sessions.state(scope, "n")
                    count, version = (found.value[0], found.version) if found else (0, 0)
                    try:
                        value = [count + 1, os.getpid()]
                        sessions.put_state(scope, "n", value, expected_version=version)
                        break
                    except ConflictError:
                        pass
    """
    for process in [python(code, durable_url) for _ in range(3)]:
        finish(process)
    with SessionStore(durable_url) as sessions:
        found = sessions.state(StateScope.named("user:7"), "n")
        assert found is not None and found.value[0] == 120


def test_what_was_said_survives_a_kill(durable_url: str) -> None:
    code = """
        import os, signal, sys
        from threadkeep import NewMessage, SessionStore
        sessions = SessionStore(sys.argv[1])
        for number in range(20):
            sessions.append("t", [NewMessage("user", number)], operation_id=f"turn {number}")
        os.kill(os.getpid(), signal.SIGKILL)
    """
    process = python(code, durable_url)
    process.communicate(timeout=60)
    assert process.returncode == -9
    with SessionStore(durable_url) as sessions:
        for number in range(21):
            sessions.append("t", [NewMessage("user", number)], operation_id=f"turn {number}")
        assert [message.content for message in sessions.messages("t")] == list(range(21))


# The example


CHAT = Path(__file__).parents[3] / "examples" / "chat.py"


def talk(url: str, folder: Path, lines: str, *options: str) -> list[str]:
    result = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", str(CHAT), "--url", url, *options],
        cwd=folder,
        input=lines,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0 and result.stderr == "", result.stdout + result.stderr
    return result.stdout.splitlines()


def test_the_chat_of_the_example_is_resumed(durable_url: str, tmp_path: Path) -> None:
    assert talk(durable_url, tmp_path, "Hello\nMy name is Ada\n") == [
        "assistant: That was line 1.",
        "assistant: That was line 2, Ada.",
    ]
    resumed = talk(durable_url, tmp_path, "/undo\nAgain\n\n")
    assert resumed[:2] == ["user: Hello", "assistant: That was line 1."]
    assert resumed[4:] == ["(took back 2 messages)", "assistant: That was line 2, Ada."]
    assert talk(durable_url, tmp_path, "", "--thread", "bob") == []


def test_the_chat_of_the_example_answers_what_a_kill_left(durable_url: str, tmp_path: Path) -> None:
    command = [sys.executable, str(CHAT), "--url", durable_url, "--think-seconds", "600"]
    thinking = subprocess.Popen(command, cwd=tmp_path, stdin=subprocess.PIPE, text=True)
    assert thinking.stdin is not None
    thinking.stdin.write("Hello\n")
    thinking.stdin.flush()
    with SessionStore(durable_url) as sessions:
        give_up = time.monotonic() + 60
        while sessions.count("ada") == 0:
            assert thinking.poll() is None and time.monotonic() < give_up
            time.sleep(0.02)
        thinking.kill()
        thinking.communicate(timeout=20)
    for _ in range(2):
        lines = talk(durable_url, tmp_path, "")
        assert lines == ["user: Hello", "assistant: That was line 1."]
