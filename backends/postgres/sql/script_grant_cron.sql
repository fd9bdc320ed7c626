-- threadkeep {tool_version}: the rights of a role that only looks at threads and deletes from them. For psql, as the
-- owner of the schema and its tables, after setup.
\set ON_ERROR_STOP on
SET standard_conforming_strings = on;
SET client_min_messages = warning;
{parameters}
BEGIN;
GRANT USAGE ON SCHEMA :"schema" TO :"grantee";
GRANT SELECT ON {schema}checkpoint_migrations, {schema}threadkeep_migrations TO :"grantee";
GRANT SELECT, DELETE
  ON {schema}checkpoints, {schema}checkpoint_blobs, {schema}checkpoint_writes,
     {schema}threadkeep_threads, {schema}threadkeep_messages, {schema}threadkeep_state
  TO :"grantee";
GRANT SELECT (thread_id, stream) ON {schema}threadkeep_streams TO :"grantee";  -- to count them
GRANT SELECT (scope, key) ON {schema}threadkeep_scopes TO :"grantee";
GRANT SELECT, INSERT, UPDATE ON {schema}threadkeep_tombstones TO :"grantee";
COMMIT;
