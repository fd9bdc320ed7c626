-- threadkeep {tool_version}: the rights of a role that uses the store but changes no table. For psql, as the owner
-- of the schema and its tables, after setup.
\set ON_ERROR_STOP on
SET standard_conforming_strings = on;
SET client_min_messages = warning;
{parameters}
BEGIN;
GRANT USAGE ON SCHEMA :"schema" TO :"grantee";
GRANT SELECT ON {schema}checkpoint_migrations, {schema}threadkeep_migrations TO :"grantee";
GRANT SELECT, INSERT, UPDATE, DELETE
  ON {schema}checkpoints, {schema}checkpoint_writes, {schema}threadkeep_threads,
     {schema}threadkeep_tombstones, {schema}threadkeep_streams, {schema}threadkeep_messages,
     {schema}threadkeep_state, {schema}threadkeep_scopes, {schema}threadkeep_operations
  TO :"grantee";
GRANT SELECT, INSERT, DELETE ON {schema}checkpoint_blobs TO :"grantee";  -- they never change
COMMIT;
