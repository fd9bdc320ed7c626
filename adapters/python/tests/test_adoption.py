# SPDX-License-Identifier: Apache-2.0
"""Databases that LangGraph's savers made, at each of their versions, are used as they are."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.postgres.shallow import MIGRATIONS as SHALLOW_MIGRATIONS

import threadkeep
import upstream_agent
from both_savers import BOTH, OURS, THEIRS, Relay, SharedTables, old_rows
from helpers import config_of, id_of, new_checkpoint, put, put_chain, values_of
from postgres_server import BYTEWISE, ICU, PostgresServer
from threadkeep.langgraph import ThreadkeepSaver

MIGRATIONS: Sequence[str] = PostgresSaver.MIGRATIONS
NEWEST = len(MIGRATIONS) - 1
# LangGraph.js has the first five migrations of the Python saver, with the same numbers.
JS = 4
# What versions 2.0.12 to 3.0.0 do where later ones add the column only if it is not there.
STRICT = "ALTER TABLE checkpoint_writes ADD COLUMN task_path TEXT NOT NULL DEFAULT ''"


def tables_at(server: PostgresServer, level: int, database: str = ICU) -> SharedTables:
    """Tables as the saver's setup leaves them when it knows the migrations up to a level."""
    tables = SharedTables(server, database, server.schema(database))
    for version, statement in enumerate(MIGRATIONS[: level + 1]):
        tables.execute(statement)
        tables.execute("INSERT INTO checkpoint_migrations (v) VALUES (%s)", version)
    return tables


def columns(tables: SharedTables) -> set[str]:
    rows = tables.execute(
        "SELECT table_name || '.' || column_name || ' ' || is_nullable AS name"
        " FROM information_schema.columns WHERE table_schema = current_schema()"
    )
    return {row["name"] for row in rows if not row["name"].startswith("threadkeep_")}


def recorded(tables: SharedTables) -> int:
    newest: int = tables.execute("SELECT max(v) AS v FROM checkpoint_migrations")[0]["v"]
    return newest


def use(tables: SharedTables, thread: str) -> None:
    """Both savers serve the same thread."""
    agent = Relay(tables, upstream_agent.build, OURS, "sync")
    config = config_of(thread)
    agent.invoke(upstream_agent.GIVEN, config)
    for _ in range(2):
        result = agent.invoke(None, config)
    assert result["total"] == 1611
    assert agent.invoke({"total": 1, "log": []}, config)["total"] == 1622


@pytest.mark.parametrize("level", range(3, NEWEST))
def test_older_tables_need_setup_once(postgres_server: PostgresServer, level: int) -> None:
    tables = tables_at(postgres_server, level)
    old_rows(tables, "old")
    before = columns(tables)
    with tables.saver(OURS) as saver:
        for call in (saver.get_tuple, lambda config: put(saver, config, new_checkpoint())):
            with pytest.raises(threadkeep.UnsupportedError, match=rf"version {level}\b.*setup"):
                call(config_of("old"))
        assert not saver.store.ping().ok
        assert columns(tables) == before
        saver.setup()
        assert saver.store.ping().ok
        found = saver.get_tuple(config_of("old"))
        assert found.checkpoint["channel_values"]["total"] == 7
        assert len(found.checkpoint["channel_values"]["__pregel_tasks"]) == 3
    use(tables, "t")
    with tables.saver(THEIRS) as saver:
        saver.setup()
    assert recorded(tables) == NEWEST
    use(tables, "u")
    assert columns(tables) == columns(tables_at(postgres_server, NEWEST))


@pytest.mark.parametrize("level", range(3, NEWEST))
def test_setup_of_any_other_version_still_works(
    postgres_server: PostgresServer, level: int
) -> None:
    tables = tables_at(postgres_server, level)
    with tables.saver(OURS) as saver:
        saver.setup()
    following = [*MIGRATIONS[:NEWEST], STRICT]
    for version in range(recorded(tables) + 1, len(following)):
        tables.execute(following[version])
        tables.execute("INSERT INTO checkpoint_migrations (v) VALUES (%s)", version)
    use(tables, "t")


@pytest.mark.parametrize("level", range(0, 3))
@pytest.mark.parametrize("who", [OURS, THEIRS])
def test_a_setup_that_was_cut_short(
    postgres_server: PostgresServer, who: str, level: int
) -> None:
    tables = tables_at(postgres_server, level)
    with tables.saver(OURS) as saver:
        with pytest.raises(threadkeep.UnsupportedError, match="threadkeep setup"):
            saver.get_tuple(config_of("t"))
    with tables.saver(who) as saver:
        saver.setup()
    use(tables, "t")


def test_the_newest_tables_need_nothing(postgres_server: PostgresServer) -> None:
    tables = tables_at(postgres_server, NEWEST)
    before = columns(tables)
    use(tables, "t")
    assert columns(tables) == before
    with tables.saver(OURS) as saver:
        saver.setup()
        saver.setup()
    use(tables, "u")
    assert columns(tables) == before


def test_tables_without_a_record_of_versions(postgres_server: PostgresServer) -> None:
    """Version 1.0.0 keeps none."""
    tables = SharedTables(postgres_server, BYTEWISE, postgres_server.schema())
    for statement in MIGRATIONS[1:4]:
        tables.execute(statement)
    with tables.saver(OURS) as saver:
        with pytest.raises(threadkeep.UnsupportedError, match="setup"):
            saver.get_tuple(config_of("t"))
        saver.setup()
    use(tables, "t")
    with tables.saver(THEIRS) as saver:
        saver.setup()
    use(tables, "u")


async def test_setup_without_blocking_a_loop(postgres_server: PostgresServer) -> None:
    tables = tables_at(postgres_server, JS)
    async with tables.async_saver(OURS) as saver:
        with pytest.raises(threadkeep.UnsupportedError, match="setup"):
            await saver.aget_tuple(config_of("t"))
        await saver.asetup()
        assert await saver.aget_tuple(config_of("t")) is None


def test_tables_of_ours_are_those_of_theirs(postgres_server: PostgresServer) -> None:
    tables = SharedTables(postgres_server, BYTEWISE, postgres_server.schema())
    with tables.saver(OURS) as saver:
        saver.setup()
    assert columns(tables) == columns(tables_at(postgres_server, NEWEST, BYTEWISE))
    with tables.saver(THEIRS) as saver:
        saver.setup()
    use(tables, "t")


def test_tables_of_a_newer_version(postgres_server: PostgresServer) -> None:
    tables = tables_at(postgres_server, NEWEST)
    tables.execute("INSERT INTO checkpoint_migrations (v) VALUES (99)")
    tables.execute("ALTER TABLE checkpoints ADD COLUMN future text DEFAULT 'x'")
    with tables.saver(OURS) as saver:
        saver.setup()
        health = saver.store.ping()
        assert health.ok and re.search(r"version 99\b.*knows up to 9", health.detail)
    use(tables, "t")


def test_columns_that_we_do_not_know_how_to_fill(postgres_server: PostgresServer) -> None:
    tables = tables_at(postgres_server, NEWEST)
    tables.execute("ALTER TABLE checkpoints ADD COLUMN future text NOT NULL")
    with tables.saver(OURS) as saver:
        with pytest.raises(threadkeep.UnsupportedError, match="future"):
            put(saver, config_of("t"), new_checkpoint())


def test_tables_of_a_shallow_saver_are_refused(postgres_server: PostgresServer) -> None:
    tables = SharedTables(postgres_server, ICU, postgres_server.schema(ICU))
    for version, statement in enumerate(SHALLOW_MIGRATIONS):
        tables.execute(statement)
        tables.execute("INSERT INTO checkpoint_migrations (v) VALUES (%s)", version)
    before = columns(tables)
    with tables.saver(OURS) as saver:
        for call in (saver.setup, lambda: saver.get_tuple(config_of("t"))):
            with pytest.raises(threadkeep.UnsupportedError, match="shallow"):
                call()
    assert columns(tables) == before


# Threads of others


def ids(saver: ThreadkeepSaver) -> list[str]:
    return [info.thread_id for info in saver.threads()]


@pytest.mark.parametrize("database", [BYTEWISE, ICU])
def test_threads_that_only_the_other_wrote(postgres_server: PostgresServer, database: str) -> None:
    tables = SharedTables(postgres_server, database, postgres_server.schema(database, adopted=True))
    names = ["Zeta", "a", "B", "b", "é", "_", "a b"]
    before = datetime.now(timezone.utc)
    with tables.saver(THEIRS) as theirs:
        for name in names:
            put_chain(theirs, name, 2)
    with tables.saver(OURS) as ours:
        assert ids(ours) == sorted(names, key=str.encode)
        put(ours, config_of("c"), new_checkpoint())
        assert ids(ours) == sorted([*names, "c"], key=str.encode)
        for info in ours.threads():
            assert before - timedelta(minutes=1) < info.updated_at < before + timedelta(minutes=2)
            assert (info.created_at is None) == (info.thread_id != "c")
            assert (info.revision, info.metadata) == (0, {})
        # It becomes one that we know more about, yet not when it began.
        ours.store.put_thread("a", {"title": "x"})
        (known,) = ours.threads(filter={"title": "x"})
        assert known.thread_id == "a" and known.created_at is None
        assert len(ids(ours)) == len(names) + 1


def test_the_time_of_a_thread_is_that_of_its_newest_id(postgres_server: PostgresServer) -> None:
    tables = tables_at(postgres_server, NEWEST)
    old = "1ef4f797-8335-6428-8001-8a1503f9b875"  # 2024-07-31T20:14:19Z
    with tables.saver(THEIRS) as theirs:
        put(theirs, config_of("old"), new_checkpoint(id=old[:-1] + "0"))
        put(theirs, config_of("old"), new_checkpoint(id=old))
        put(theirs, config_of("nameless"), new_checkpoint(id="no-uuid"))
    with tables.saver(OURS) as ours:
        times = {info.thread_id: (info.created_at, info.updated_at) for info in ours.threads()}
    created, updated = times["old"]
    assert created is None
    assert updated.replace(second=0, microsecond=0) == datetime(
        2024, 7, 31, 20, 14, tzinfo=timezone.utc
    )
    assert times["nameless"] == (None, None)


def test_a_turn_of_the_other_shows_in_the_times(postgres_server: PostgresServer) -> None:
    """Also of a thread that has a row of ours."""
    tables = tables_at(postgres_server, NEWEST)
    with tables.saver(OURS) as ours:
        put(ours, config_of("t"), new_checkpoint())
        past = datetime.now(timezone.utc) - timedelta(days=9)
        tables.execute("UPDATE threadkeep_threads SET created_at = %s, updated_at = %s", past, past)
        tables.execute("DELETE FROM checkpoints")
        with tables.saver(THEIRS) as theirs:
            put(theirs, config_of("t"), new_checkpoint())
        (info,) = ours.threads()
        assert info.created_at == past
        assert datetime.now(timezone.utc) - info.updated_at < timedelta(minutes=2)


def test_a_thread_that_the_other_deleted(postgres_server: PostgresServer) -> None:
    """Its row stays until it is deleted here too."""
    tables = tables_at(postgres_server, NEWEST)
    with tables.saver(OURS) as ours, tables.saver(THEIRS) as theirs:
        put(ours, config_of("t"), new_checkpoint({"c": 1}))
        theirs.delete_thread("t")
        assert ours.get_tuple(config_of("t")) is None and ids(ours) == ["t"]
        ours.delete_thread("t")
        assert ids(ours) == []
        config = put(theirs, config_of("t"), new_checkpoint({"c": 2}))
        assert values_of(ours, config) == {"c": 2} and ids(ours) == ["t"]


# Threads of LangGraph.js


def js_thread(tables: SharedTables, thread: str) -> list[str]:
    """Two checkpoints as LangGraph.js stores them: JSON, integer versions, nothing inline."""
    found: list[str] = []
    for step in (1, 2):
        document = new_checkpoint({"messages": 0, "count": 0}, version=step) | {
            "channel_values": {}
        }
        for channel, value in (("messages", [f"message {step}"]), ("count", step)):
            tables.execute(
                "INSERT INTO checkpoint_blobs VALUES (%s, '', %s, %s, 'json', %s)",
                *(thread, channel, str(step), json.dumps(value).encode()),
            )
        tables.execute(
            "INSERT INTO checkpoints (thread_id, checkpoint_id, parent_checkpoint_id, checkpoint,"
            " metadata) VALUES (%s, %s, %s, %s, %s)",
            *(thread, document["id"], found[-1] if found else None),
            *(json.dumps(document), '{"source": "loop", "step": 1, "parents": {}}'),
        )
        tables.execute(
            "INSERT INTO checkpoint_writes (thread_id, checkpoint_id, task_id, idx, channel, type,"
            " blob) VALUES (%s, %s, 'task', 0, 'count', 'json', %s)",
            *(thread, document["id"], str(step).encode()),
        )
        found.append(document["id"])
    return found


def test_a_database_of_langgraph_js(postgres_server: PostgresServer) -> None:
    tables = tables_at(postgres_server, JS)
    written = js_thread(tables, "js")
    with tables.saver(OURS) as ours:
        ours.setup()
        assert ids(ours) == ["js"]
        rows = list(ours.list(config_of("js")))
        with tables.saver(THEIRS) as theirs:
            assert rows == list(theirs.list(config_of("js")))
        assert [id_of(row.config) for row in rows] == written[::-1]
        assert rows[0].checkpoint["channel_values"] == {"messages": ["message 2"], "count": 2}
        assert rows[1].pending_writes == [("task", "count", 1)]
        ours.copy_thread("js", "copy")
        ours.prune(["js"])
        assert values_of(ours, config_of("js")) == values_of(ours, config_of("copy", written[1]))
        ours.delete_thread("js")
        assert ids(ours) == ["copy"]
    use(tables, "python")


# Rights


def test_a_role_that_may_only_read_and_write_rows(postgres_server: PostgresServer) -> None:
    """A program needs no right to create anything once someone else has set it up."""
    tables = tables_at(postgres_server, NEWEST)
    schema = tables.execute("SELECT current_schema() AS name")[0]["name"]
    role = f"app_{schema}"
    tables.execute(f"CREATE ROLE {role} LOGIN")
    tables.execute(f"GRANT USAGE ON SCHEMA {schema} TO {role}")
    grant = f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}"
    tables.execute(grant)
    url = tables.ours.replace("//postgres@", f"//{role}@")
    with ThreadkeepSaver(url) as saver:
        with pytest.raises(threadkeep.DeniedError, match="CREATE"):
            saver.get_tuple(config_of("t"))
    with tables.saver(OURS) as saver:
        saver.setup()
    tables.execute(grant)
    with ThreadkeepSaver(url) as saver:
        config: Any = put(saver, config_of("t"), new_checkpoint({"c": "x" * 1000}))
        assert values_of(saver, config) == {"c": "x" * 1000}
    for kind in BOTH:
        with tables.saver(kind) as other:
            assert values_of(other, config) == {"c": "x" * 1000}
