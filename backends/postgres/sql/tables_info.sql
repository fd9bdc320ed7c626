-- SPDX-License-Identifier: Apache-2.0
-- What the server is, what it can do with vectors, and how the database is called on it;
-- last whether schema $1 has tables of a store.
SELECT
  version() ~* 'emscripten|emcc|wasm',
  split_part(current_setting('server_version'), ' ', 1),
  pg_is_in_recovery(),
  EXISTS (SELECT FROM pg_extension WHERE extname = 'vector'),
  EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector'),
  current_setting('is_superuser') = 'on' OR (
    has_database_privilege(current_database(), 'CREATE')
    AND EXISTS (SELECT FROM pg_available_extension_versions AS v
                WHERE v.name = 'vector' AND v.trusted)),
  (SELECT oid FROM pg_database WHERE datname = current_database())::text,
  extract(epoch FROM pg_postmaster_start_time())::text,
  EXISTS (SELECT FROM pg_class AS c
          WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1::text)
            AND (c.relname = 'threadkeep_threads'
                 OR (c.relname = 'checkpoints'
                     AND 2 = (SELECT count(*) FROM pg_attribute AS own WHERE own.attrelid = c.oid
                              AND own.attname IN ('thread_id', 'checkpoint_ns')))))
