-- SPDX-License-Identifier: Apache-2.0
-- What the database, the role and the schema $1 allow.
SELECT current_database()::text,
       current_user::text,
       current_setting('server_encoding'),
       pg_is_in_recovery() OR current_setting('default_transaction_read_only')::boolean,
       n.oid IS NOT NULL,
       coalesce(has_schema_privilege(n.oid, 'USAGE'), false),
       CASE WHEN n.oid IS NULL THEN has_database_privilege(d.oid, 'CREATE')
            ELSE has_schema_privilege(n.oid, 'CREATE') END
FROM pg_catalog.pg_database AS d
LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname = $1::text
WHERE d.datname = current_database();
