-- SPDX-License-Identifier: Apache-2.0
INSERT INTO {schema}.threadkeep_tier_tables AS p
  (run_id, table_name, pass, position, done, inserted, updated, unchanged, kept, rejected)
VALUES ($1::text, $2::text, $3::integer, $4::text, $5::boolean, $6::bigint, $7::bigint, $8::bigint,
        $9::bigint, $10::bigint)
ON CONFLICT (run_id, table_name, pass) DO UPDATE SET
  position = excluded.position, done = excluded.done, inserted = excluded.inserted,
  updated = excluded.updated, unchanged = excluded.unchanged, kept = excluded.kept,
  rejected = excluded.rejected, changed_at = now()
