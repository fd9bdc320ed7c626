-- SPDX-License-Identifier: Apache-2.0
SELECT count(DISTINCT name) = 0 AS fresh,
       count(DISTINCT name) > 0 AND count(DISTINCT name)
         FILTER (WHERE name <> 'checkpoint_migrations') < 3 AS partial,
       CASE WHEN count(*) FILTER (WHERE name = 'checkpoints') = 0 THEN 1
            WHEN count(*) FILTER (WHERE name = 'checkpoint_blobs') = 0 THEN 2
            WHEN count(*) FILTER (WHERE name = 'checkpoint_writes') = 0 THEN 3
            ELSE 1000000 END AS first_missing,
       coalesce(bool_or(not_null) FILTER (WHERE name = 'checkpoint_blobs' AND col = 'blob'), false)
         AS blob_is_not_null,
       count(*) FILTER (WHERE name = 'checkpoint_writes') > 0
         AND count(*) FILTER (WHERE name = 'checkpoint_writes' AND col = 'task_path') = 0
         AS lacks_task_path,
       count(*) FILTER (WHERE name = 'checkpoint_migrations') > 0 AS keeps_record,
       coalesce(bool_and(bytewise) FILTER (WHERE
           (name = 'checkpoints' AND col IN ('thread_id', 'checkpoint_ns', 'checkpoint_id'))
           OR (name = 'checkpoint_writes' AND col IN ('task_id', 'task_path'))), true) AS bytewise
FROM (
{columns}
) AS found (name, kind, may_select, col, type, not_null, needs_value, in_key, key_columns, bytewise)
WHERE name LIKE 'checkpoint%';
