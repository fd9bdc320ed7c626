# SPDX-License-Identifier: Apache-2.0
"""Messages and state, each test through the blocking and the asyncio methods."""

from __future__ import annotations

import contextlib
import math
import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

import threadkeep
from threadkeep import Filter, NewMessage, SessionStore, StateChange, StateScope, filters


class Form:
    """A session store whose methods are all awaited, whichever form does the work."""

    def __init__(self, sessions: SessionStore, form: str) -> None:
        self.sessions, self.form = sessions, form

    def __getattr__(self, name: str) -> Any:
        async def call(*args: Any, **kwargs: Any) -> Any:
            if self.form == "blocking":
                result = getattr(self.sessions, name)(*args, **kwargs)
                return list(result) if isinstance(result, Iterator) else result
            result = getattr(self.sessions, f"a{name}")(*args, **kwargs)
            if hasattr(result, "__aiter__"):
                return [item async for item in result]
            return await result

        return call


@pytest.fixture(params=["blocking", "asyncio"])
def chat(request: pytest.FixtureRequest, store: threadkeep.Store) -> Form:
    return Form(SessionStore(store), request.param)


def user(content: Any, **more: Any) -> NewMessage:
    return NewMessage("user", content, **more)


def numbers(count: int) -> list[NewMessage]:
    return [user(number, id=f"m{number}") for number in range(1, count + 1)]


def contents(messages: Any) -> list[Any]:
    return [message.content for message in messages]


# Messages


async def test_messages_come_back_as_they_were_appended(chat: Form, thread: str) -> None:
    content = [{"type": "text", "text": "Grüße"}, {"n": [1, 2.5, None]}]
    given = [user(content, metadata={"lang": "de"}), NewMessage("assistant", "Hello", id="own")]
    written = await chat.append(thread, given)
    assert (written.changed, written.kept, written.dropped, written.revision) == (2, 0, 0, 1)
    assert [(each.seq, each.version) for each in written.messages] == [(1, 1), (2, 1)]
    first, second = await chat.messages(thread)
    assert (first.role, first.content, first.metadata) == ("user", content, {"lang": "de"})
    assert (second.id, second.role, second.content, second.metadata) == (
        "own",
        "assistant",
        "Hello",
        {},
    )
    assert first.id == written.messages[0].id and first.stream == ""
    now = datetime.now(timezone.utc)
    assert now - timedelta(minutes=2) < first.created_at <= now + timedelta(minutes=1)
    assert await chat.message(thread, "own") == second
    assert await chat.message(thread, "other") is None
    assert await chat.message("nobody", "own") is None


async def test_streams_count_for_themselves(chat: Form, thread: str) -> None:
    await chat.append(thread, [user("a"), user("b")])
    written = await chat.append(thread, [user("c")], stream="tools: {*}")
    assert (written.messages[0].stream, written.messages[0].seq) == ("tools: {*}", 1)
    assert contents(await chat.messages(thread, stream="tools: {*}")) == ["c"]
    assert await chat.count(thread) == 2 and await chat.count("nobody") == 0
    assert contents(await chat.tail(thread, 1, stream="tools: {*}")) == ["c"]


async def test_pages_in_both_directions(chat: Form, thread: str) -> None:
    await chat.append(thread, numbers(7))
    for newest_first, expected in ((False, [1, 2, 3, 4, 5, 6, 7]), (True, [7, 6, 5, 4, 3, 2, 1])):
        seen: list[int] = []
        cursor, pages = "", 0
        while pages == 0 or cursor:
            page = await chat.message_page(
                thread, newest_first=newest_first, limit=3, cursor=cursor
            )
            seen, cursor, pages = seen + contents(page.items), page.next, pages + 1
        assert seen == expected and pages == 3
    assert contents(await chat.messages(thread, newest_first=True, limit=2)) == [7, 6]
    assert contents(await chat.messages(thread, after=5)) == [6, 7]
    assert contents(await chat.messages(thread, limit=0)) == []
    assert await chat.count(thread, after=5) == 2
    light = await chat.message_page(thread, max_bytes=1)
    assert contents(light.items) == [1] and light.next


async def test_a_cursor_outlives_its_message(chat: Form, thread: str) -> None:
    await chat.append(thread, numbers(6))
    first = await chat.message_page(thread, limit=3)
    await chat.remove(thread, ["m3", "m4"])
    await chat.append(thread, [user("new")])
    rest = await chat.message_page(thread, cursor=first.next)
    assert contents(rest.items) == [5, 6, "new"] and rest.next == ""


async def test_a_cursor_of_something_else_is_an_error(chat: Form, thread: str) -> None:
    await chat.append(thread, numbers(3))
    await chat.append(thread, [user("x")], stream="other")
    cursor = (await chat.message_page(thread, limit=1)).next
    for options in (
        {"cursor": "garbage"},
        {"cursor": cursor[:-1] + ("A" if cursor[-1] != "A" else "B")},
        {"cursor": cursor, "stream": "other"},
        {"cursor": cursor, "newest_first": True},
        {"cursor": cursor, "filter": filters.eq("role", "user")},
    ):
        with pytest.raises(threadkeep.InvalidArgumentError, match="cursor"):
            await chat.message_page(thread, **options)


async def test_a_long_stream_is_listed_page_by_page(chat: Form, thread: str) -> None:
    for begin in range(0, 250, 125):
        await chat.append(thread, [user(begin + number) for number in range(125)])
    assert contents(await chat.messages(thread)) == list(range(250))
    assert contents(await chat.messages(thread, limit=130)) == list(range(130))
    assert contents(await chat.tail(thread, 120)) == list(range(130, 250))
    assert len(await chat.tail(thread)) == 100
    even = filters.in_(("metadata", "n"), [1])
    assert await chat.messages(thread, filter=even) == []


async def test_update(chat: Form, thread: str) -> None:
    await chat.append(thread, [user("a", id="m", metadata={"x": 1})])
    written = await chat.update(thread, "m", content=None)
    assert (written.changed, written.messages[0].version) == (1, 2)
    found = await chat.message(thread, "m")
    assert (found.content, found.metadata, found.version) == (None, {"x": 1}, 2)
    await chat.update(thread, "m", metadata={}, expected_version=2)
    found = await chat.message(thread, "m")
    assert (found.content, found.metadata, found.version) == (None, {}, 3)
    assert (await chat.update(thread, "m", metadata={})).kept == 1
    with pytest.raises(threadkeep.ConflictError):
        await chat.update(thread, "m", content="late", expected_version=1)
    assert (await chat.update(thread, "absent", content=1)).dropped == 1
    with pytest.raises(threadkeep.ConflictError):
        await chat.update(thread, "absent", content=1, expected_version=1)


async def test_remove_and_clear(chat: Form, thread: str) -> None:
    await chat.append(thread, numbers(4))
    await chat.append(thread, [user("t")], stream="tools")
    assert (await chat.remove(thread, ["m1", "m3", "absent"])).changed == 2
    assert contents(await chat.messages(thread)) == [2, 4]
    assert (await chat.clear(thread, stream="tools")).changed == 1
    assert (await chat.append(thread, [user("u")], stream="tools")).messages[0].seq == 2
    assert (await chat.clear(thread)).changed == 3
    assert await chat.count(thread) == 0 and (await chat.clear("nobody")).changed == 0


async def test_pop(chat: Form, thread: str) -> None:
    await chat.append(thread, numbers(5))
    popped = await chat.pop(thread)
    assert contents(popped.messages) == [5] and popped.revision == 2
    popped = await chat.pop(thread, 2, operation_id="undo")
    assert contents(popped.messages) == [3, 4] and popped.messages[0].role == "user"
    assert await chat.pop(thread, 2, operation_id="undo") == popped
    assert contents(await chat.messages(thread)) == [1, 2]
    assert contents((await chat.pop(thread, 1000)).messages) == [1, 2]
    assert (await chat.pop(thread)).messages == []
    assert (await chat.append(thread, [user("next")])).messages[0].seq == 6


# Sending again


async def test_an_operation_is_done_once(chat: Form, thread: str) -> None:
    turn = [user("a"), NewMessage("assistant", "b")]
    counted = [StateChange.put("turns", 1)]
    first = await chat.append(thread, turn, state=counted, operation_id="turn 1")
    assert first.versions == [1]
    again = await chat.append(thread, turn, state=counted, operation_id="turn 1")
    assert again == first
    assert await chat.count(thread) == 2
    with pytest.raises(threadkeep.ConflictError):
        await chat.append(thread, [user("other")], operation_id="turn 1")


async def test_a_message_id_is_stored_once(chat: Form, thread: str) -> None:
    await chat.append(thread, numbers(2))
    written = await chat.append(thread, numbers(3))
    assert (written.changed, written.kept) == (1, 2)
    assert [each.seq for each in written.messages] == [1, 2, 3]
    with pytest.raises(threadkeep.ConflictError):
        await chat.append(thread, [user("other", id="m1"), user("new")])
    assert contents(await chat.messages(thread)) == [1, 2, 3]


async def test_a_revision_can_be_demanded(chat: Form, thread: str) -> None:
    await chat.append(thread, [user("a")], expected_revision=0)
    revision = (await chat.thread(thread)).revision
    assert revision == 1
    await chat.append(thread, [user("b")], expected_revision=revision)
    with pytest.raises(threadkeep.ConflictError):
        await chat.append(thread, [user("c")], expected_revision=revision)
    assert contents(await chat.messages(thread)) == ["a", "b"]


# State


@pytest.fixture(params=["thread", "name"])
def scope(request: pytest.FixtureRequest, thread: str) -> StateScope:
    return (
        StateScope.of_thread(thread)
        if request.param == "thread"
        else StateScope.named(f"user:{thread}")
    )


async def test_a_document_has_a_version(chat: Form, scope: StateScope) -> None:
    assert await chat.state(scope, "k") is None
    assert (await chat.put_state(scope, "k", {"a": [1]}, expected_version=0)).versions == [1]
    assert (await chat.put_state(scope, "k", {"a": [2]}, expected_version=1)).versions == [2]
    found = await chat.state(scope, "k")
    assert (found.key, found.value, found.version) == ("k", {"a": [2]}, 2)
    assert (await chat.put_state(scope, "k", {"a": [2]}, expected_version=2)).kept == 1
    with pytest.raises(threadkeep.ConflictError):
        await chat.put_state(scope, "k", {"a": [2]}, expected_version=1)  # equal, and not its own
    for stale in (0, 1, 3):
        with pytest.raises(threadkeep.ConflictError):
            await chat.put_state(scope, "k", "late", expected_version=stale)
    with pytest.raises(threadkeep.ConflictError):
        await chat.delete_state(scope, "k", expected_version=1)
    assert (await chat.delete_state(scope, "k", expected_version=2)).versions == [0]
    assert await chat.state(scope, "k") is None
    assert (await chat.delete_state(scope, "k")).changed == 0
    assert (await chat.put_state(scope, "k", None)).versions == [1]
    assert (await chat.state(scope, "k")).value is None


async def test_a_merge_changes_what_it_names(chat: Form, scope: StateScope) -> None:
    await chat.put_state(scope, "k", {"a": 1, "b": {"c": 2, "d": 3}, "big": 10**30})
    written = await chat.merge_state(scope, "k", {"a": None, "b": {"c": 4}, "e": [None]})
    assert written.versions == [2]
    merged = {"b": {"c": 4, "d": 3}, "big": 10**30, "e": [None]}
    assert (await chat.state(scope, "k")).value == merged
    with pytest.raises(threadkeep.ConflictError):
        await chat.merge_state(scope, "k", {"x": 1}, expected_version=1)
    assert (await chat.merge_state(scope, "new", {"x": 1})).versions == [1]


async def test_documents_change_all_or_none(chat: Form, scope: StateScope) -> None:
    await chat.put_state(scope, "old", 1)
    written = await chat.change_state(
        scope,
        [
            StateChange.put("new", [1], expected_version=0),
            StateChange.merge("merged", {"a": 1}),
            StateChange.erase("old"),
        ],
    )
    assert written.versions == [1, 1, 0]
    with pytest.raises(threadkeep.ConflictError):
        await chat.change_state(
            scope, [StateChange.put("x", 1), StateChange.put("new", 2, expected_version=5)]
        )
    documents = await chat.states(scope)
    assert [(each.key, each.value) for each in documents] == [("merged", {"a": 1}), ("new", [1])]
    with pytest.raises(threadkeep.InvalidArgumentError, match="twice"):
        await chat.change_state(scope, [StateChange.put("x", 1), StateChange.erase("x")])


async def test_documents_are_listed_by_key(chat: Form, scope: StateScope) -> None:
    keys = [f"key-{number:03}" for number in range(120)]
    await chat.change_state(scope, [StateChange.put(key, key) for key in reversed(keys)])
    assert [each.key for each in await chat.states(scope)] == keys
    assert [each.key for each in await chat.states(scope, limit=105)] == keys[:105]
    page = await chat.state_page(scope, limit=2)
    assert [each.key for each in page.items] == keys[:2]
    page = await chat.state_page(scope, limit=2, cursor=page.next)
    assert [each.key for each in page.items] == keys[2:4]
    assert await chat.states(StateScope.named("nobody")) == []


async def test_order_is_that_of_bytes(chat: Form, thread: str, scope: StateScope) -> None:
    words = ["B", "a", "b", "ä", "😀"]
    await chat.change_state(scope, [StateChange.put(word, word) for word in reversed(words)])
    assert [each.key for each in await chat.states(scope)] == words
    await chat.append(thread, [user(word, metadata={"w": word}) for word in words])
    assert contents(await chat.messages(thread, filter=filters.lt(("metadata", "w"), "b"))) == [
        "B",
        "a",
    ]


async def test_state_changes_with_an_append_or_not_at_all(chat: Form, thread: str) -> None:
    scope = StateScope.of_thread(thread)
    await chat.append(thread, [user("a")], state=[StateChange.put("n", 1), StateChange.put("m", 1)])
    with pytest.raises(threadkeep.ConflictError):
        stale = [StateChange.put("m", 2), StateChange.put("n", 2, expected_version=7)]
        await chat.append(thread, [user("b")], state=stale)
    assert contents(await chat.messages(thread)) == ["a"]
    assert [each.value for each in await chat.states(scope)] == [1, 1]


# Threads


async def test_a_thread_takes_its_messages_and_state_along(chat: Form, thread: str) -> None:
    store, scope = chat.sessions.store, StateScope.of_thread(thread)
    await chat.append(thread, numbers(2), state=[StateChange.put("k", 1)])
    assert (await chat.thread(thread)).thread_id == thread
    store.copy_thread(thread, f"{thread}-copy")
    store.delete_thread(thread)
    assert await chat.thread(thread) is None
    assert await chat.messages(thread) == [] and await chat.state(scope, "k") is None
    assert contents(await chat.messages(f"{thread}-copy")) == [1, 2]
    await store.acopy_thread(f"{thread}-copy", thread)
    await store.adelete_thread(f"{thread}-copy")
    assert contents(await chat.messages(thread)) == [1, 2]
    assert (await chat.state(scope, "k")).value == 1
    assert thread in [each.thread_id for each in store.threads()]


# Values


VALUES = [
    None,
    True,
    False,
    0,
    -1,
    2**53 + 1,
    2**63,
    2**64 + 1,
    -(10**300),
    0.0,
    0.1,
    1e300,
    5e-324,
    -2.5,
    "",
    "text",
    '\u2028\\"\n\x7f😀',
    [],
    {},
    [[[]], {"": {"a b": None}}],
    {"ä": [1, 1.5, "x", {"b": 2, "a": 1}]},
    "x" * 300_000,
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:20])
async def test_values_come_back_as_they_were(chat: Form, thread: str, value: Any) -> None:
    await chat.append(thread, [user(value, id="m", metadata={"v": value})])
    await chat.put_state(StateScope.of_thread(thread), "k", value)
    found = await chat.message(thread, "m")
    document = await chat.state(StateScope.of_thread(thread), "k")
    for back in (found.content, document.value):
        assert back == value and type(back) is type(value)
        assert repr(back) == repr(value)  # The order of members, and -0.0.
    assert found.metadata == {"v": value}
    await chat.update(thread, "m", content=[value])
    assert (await chat.message(thread, "m")).content == [value]


CYCLE: list[Any] = []
CYCLE.append(CYCLE)

BAD = [
    (math.nan, ""),
    ({"a": [1, math.inf]}, r"\.a\[1\]"),
    ({"a": "\ud800"}, r"\.a"),
    ({"\udfff": 1}, ""),
    ((1, 2), ""),
    ([{"a": (1,)}], r"\[0\]\.a"),
    ({1: "a"}, ""),
    ([{"a": 1}, {True: 1}], r"\[1\]"),
    (b"bytes", ""),
    ({"a": {1, 2}}, r"\.a"),
    ([1, object()], r"\[1\]"),
    (CYCLE, r"\[0\]"),
    ({"a": "nul\0"}, r"\.a"),
    (10**400, ""),
    (10**5000, ""),
]


@pytest.mark.parametrize(("value", "path"), BAD, ids=range(len(BAD)))
async def test_what_would_change_is_refused(chat: Form, thread: str, value: Any, path: str) -> None:
    scope = StateScope.of_thread(thread)
    with pytest.raises(threadkeep.InvalidArgumentError, match=f"content.*{path} "):
        await chat.append(thread, [user("a"), user(value, id="m")])
    with pytest.raises(threadkeep.InvalidArgumentError, match=f"content{path} "):
        await chat.update(thread, "m", content=value)
    with pytest.raises(threadkeep.InvalidArgumentError, match=f"state 'k'{path} "):
        await chat.put_state(scope, "k", value)
    assert await chat.thread(thread) is None


async def test_bad_metadata_is_refused_and_nul_removed(chat: Form, thread: str) -> None:
    for bad in ({"a": math.nan}, {"a": (1,)}, {1: 2}, ["a"], None):
        with pytest.raises(
            threadkeep.InvalidArgumentError, match=r"messages\[0\]\.metadata|metadata must"
        ):
            await chat.append(thread, [user("a", metadata=bad)])
    await chat.append(thread, [user("a", id="m", metadata={"a": "x\0y"})])
    assert (await chat.message(thread, "m")).metadata == {"a": "xy"}


async def test_content_that_another_program_broke_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with SessionStore(f"sqlite:{path}") as sessions:
        sessions.append("t", numbers(2))
        with contextlib.closing(sqlite3.connect(path)) as file:
            file.execute("UPDATE threadkeep_messages SET content = '[secret' WHERE seq = 2")
            file.commit()
        assert contents(sessions.messages("t", limit=1)) == [1]
        with pytest.raises(threadkeep.CorruptError, match="content of message 'm2'") as caught:
            sessions.tail("t")
        assert "secret" not in str(caught.value)
        with pytest.raises(threadkeep.CorruptError, match="content of message 'm2'"):
            await sessions.amessage("t", "m2")


# Filters


TRUTH: list[tuple[str, list[Any], Filter]] = [
    ("eq 1", [1, 1.0], filters.eq(("metadata", "x"), 1)),
    ("ne 1", [2, "1", True, None, [1, 2], {"y": 1}], filters.ne(("metadata", "x"), 1)),
    ("ge 1", [1, 1.0, 2], filters.ge(("metadata", "x"), 1)),
    ("gt 1", [2], filters.gt(("metadata", "x"), 1)),
    ("lt 2", [1, 1.0], filters.lt(("metadata", "x"), 2)),
    ("le '1'", ["1"], filters.le(("metadata", "x"), "1")),
    ("in", [2, None], filters.in_(("metadata", "x"), [None, 2])),
    ("contains", [[1, 2]], filters.contains(("metadata", "x"), 1.0)),
    ("exists", [1, 1.0, 2, "1", True, None, [1, 2], {"y": 1}], filters.exists(["metadata", "x"])),
    ("deeper", [{"y": 1}], filters.eq(("metadata", "x", "y"), 1)),
    ("missing", ["missing"], filters.negation(filters.exists(("metadata", "x")))),
    (
        "and or",
        [2, "missing"],
        filters.all_of(
            filters.eq("role", "user"),
            filters.any_of(
                filters.eq(("metadata", "x"), 2),
                filters.negation(filters.exists(("metadata", "x"))),
            ),
        ),
    ),
    ("no part", [], filters.any_of()),
]


async def test_filters_have_one_truth(chat: Form, thread: str) -> None:
    values: list[Any] = [1, 1.0, 2, "1", True, None, [1, 2], {"y": 1}]
    messages = [user(repr(value), metadata={"x": value}) for value in values]
    await chat.append(thread, [*messages, user(repr("missing"))])
    for name, expected, filter in TRUTH:
        found = await chat.messages(thread, filter=filter)
        assert contents(found) == [repr(value) for value in expected], name
        assert await chat.count(thread, filter=filter) == len(expected), name
        assert contents(await chat.tail(thread, filter=filter)) == contents(found), name
    assert await chat.count(thread, filter=filters.all_of()) == 9


async def test_bad_filters_are_refused(chat: Form, thread: str) -> None:
    with pytest.raises(threadkeep.InvalidArgumentError, match="content"):
        await chat.messages(thread, filter=filters.eq("content", 1))
    deep = filters.exists("role")
    for _ in range(5000):
        deep = filters.negation(deep)
    with pytest.raises(threadkeep.InvalidArgumentError, match="deeper"):
        await chat.count(thread, filter=deep)
    with pytest.raises(threadkeep.InvalidArgumentError, match=r"metadata\.x.*NaN|metadata\.x"):
        filters.eq(("metadata", "x"), math.nan)
    with pytest.raises(threadkeep.InvalidArgumentError, match="one str"):
        filters.in_("role", "user")
    with pytest.raises(threadkeep.InvalidArgumentError, match="part"):
        filters.all_of({"role": "user"})  # type: ignore[arg-type]
    with pytest.raises(threadkeep.InvalidArgumentError, match="threadkeep.filters"):
        await chat.messages(thread, filter={"role": "user"})
    with pytest.raises(threadkeep.InvalidArgumentError, match="lone surrogate"):
        await chat.count(thread, filter=filters.exists(("metadata", "\ud800")))


# Arguments


async def test_bad_arguments_are_named(chat: Form, thread: str) -> None:
    scope = StateScope.of_thread(thread)
    for call, name in (
        (chat.append(thread, user("one")), "messages must be a sequence of NewMessage"),
        (chat.append(thread, ["text"]), "messages must be a sequence of NewMessage"),
        (chat.append(thread, []), "messages must not be empty"),
        (chat.append(thread, [user("a")] * 1001), "1001"),
        (chat.append(None, [user("a")]), "thread_id"),
        (chat.append("", [user("a")]), "thread_id must not be empty"),
        (chat.append(thread, [NewMessage(1, "a")]), "role must be a str"),  # type: ignore[arg-type]
        (chat.append(thread, [user("a")], stream=None), "stream"),
        (chat.append(thread, [user("a")], expected_revision=-1), "expected_revision"),
        (chat.append(thread, [user("a")], expected_revision=2**64), "expected_revision"),
        (chat.append(thread, [user("a")], expected_revision="1"), "expected_revision"),
        (chat.append(thread, [user("a")], state=[("k", 1)]), "state must be a sequence"),
        (chat.append(thread, [user("a")], operation_id="x" * 513), "operation_id"),
        (chat.pop(thread, -1), "count must not be negative"),
        (chat.pop(thread, 1001), "1001"),
        (chat.remove(thread, "m1"), "ids must be a sequence"),
        (chat.messages(thread, limit=-1), "limit"),
        (chat.messages(thread, after="x"), "after"),
        (chat.message_page(thread, limit=1.5), "limit"),
        (chat.tail(thread, -1), "count"),
        (chat.message(thread, ""), "message id must not be empty"),
        (chat.put_state("user:7", "k", 1), "scope must be a StateScope"),
        (chat.put_state(StateScope(), "k", 1), "scope"),
        (chat.put_state(StateScope(thread, "and a name"), "k", 1), "scope"),
        (chat.put_state(scope, "", 1), "state key"),
        (chat.put_state(scope, 7, 1), "state key must be a str"),
        (chat.state_page(scope, cursor="garbage"), "cursor"),
        (chat.states("x"), "scope"),
    ):
        with pytest.raises(threadkeep.InvalidArgumentError, match=name):
            await call
    assert await chat.thread(thread) is None
