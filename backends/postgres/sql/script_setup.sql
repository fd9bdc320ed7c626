-- threadkeep {tool_version}: what `threadkeep setup` does, for psql. The role that runs this may create in the
-- schema and owns LangGraph's tables if there are any. Not through a pooler. It may be run again at
-- any time: what is done already is left as it is, what was broken off is taken up.
\set ON_ERROR_STOP on
SET standard_conforming_strings = on;
SET client_min_messages = warning;
{parameters}

-- One session at a time changes a schema.
{lock} \gset
SELECT pg_try_advisory_lock(:lock) AS locked \gset
\if :locked
\else
  DO 'BEGIN RAISE EXCEPTION ''another session changes this schema; see pg_locks, locktype advisory''; END';
\endif

SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = :'schema') AS missing \gset
\if :missing
  CREATE SCHEMA :"schema";
\endif

PREPARE threadkeep_look AS
{look};
PREPARE threadkeep_index (text, text) AS
{find_index};

EXECUTE threadkeep_look \gset
\set gone false
\if :keeps_record
  SELECT coalesce(max(v) >= :first_missing, false) AS gone FROM {schema}checkpoint_migrations \gset
\endif
\if :gone
  DO 'BEGIN RAISE EXCEPTION ''tables are gone that checkpoint_migrations says were made; restore them''; END';
\endif

-- Step 1: threadkeep's own tables.
{begin}
{own_tables}
SELECT count(*) = 0 AS fits FROM {schema}threadkeep_migrations
WHERE (version <= {store_version}
       AND (version, name, checksum) NOT IN (VALUES {known_steps}))
   OR (version > {store_version} AND oldest_reader > {store_version}) \gset
\if :fits
\else
  DO 'BEGIN RAISE EXCEPTION ''threadkeep_migrations has steps of another program or of a newer one''; END';
\endif
{record_1}

-- Step 6: those of messages and state.
{session_tables}
{record_6}

-- Step 7: since when there is a tombstone.
{tombstone_times}
{record_7}
COMMIT;

-- Step 2: LangGraph's tables, as of its version 9.
\if :fresh
{begin}
{langgraph_tables}
COMMIT;
\endif
\if :partial
{begin}
{missing_tables}
COMMIT;
\endif
EXECUTE threadkeep_look \gset
\if :blob_is_not_null
{begin}
{langgraph_blob}
COMMIT;
\endif
\if :lacks_task_path
{begin}
{langgraph_task_path}
  \if :keeps_record
{langgraph_record}
  \endif
COMMIT;
\endif
{record_2}
{indexes}
DEALLOCATE threadkeep_look;
DEALLOCATE threadkeep_index;
SELECT pg_advisory_unlock(:lock) AS unlocked \gset
