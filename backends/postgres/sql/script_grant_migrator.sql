-- threadkeep {tool_version}: the rights of a role that runs `threadkeep setup`. For psql, as the owner of the
-- schema, or of the database where the schema does not exist yet. What such a role creates it owns;
-- to change tables that another role made (LangGraph's) it needs to own them too, which is your
-- decision: this script says so and changes no owner.
\set ON_ERROR_STOP on
SET standard_conforming_strings = on;
SET client_min_messages = warning;
{parameters}
SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = :'schema') AS missing \gset
BEGIN;
\if :missing
  CREATE SCHEMA :"schema";
\endif
GRANT CREATE ON SCHEMA :"schema" TO :"grantee";
GRANT USAGE ON SCHEMA :"schema" TO :"grantee" WITH GRANT OPTION;  -- for the users of its tables
COMMIT;
SELECT coalesce(string_agg(format('ALTER TABLE %I.%I OWNER TO %I;', n.nspname, c.relname, r.rolname), ' '), '')
         AS owned, count(*) > 0 AS others
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_roles AS r ON r.rolname = :'grantee'
WHERE n.nspname = :'schema' AND c.relkind IN ('r', 'p')
  AND (c.relname IN ('checkpoints', 'checkpoint_blobs', 'checkpoint_writes', 'checkpoint_migrations')
       OR c.relname LIKE 'threadkeep\_%')
  AND NOT pg_has_role(r.oid, c.relowner, 'USAGE') \gset
\if :others
  \warn 'tables of another owner, which this role cannot change until you run:' :owned
\endif
