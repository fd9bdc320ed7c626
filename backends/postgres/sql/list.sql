-- SPDX-License-Identifier: Apache-2.0
-- A page of checkpoints: the first {most} - 1 rows that fulfil {where}, in the order {order}, fewer
-- when the items before one weigh {max_bytes} or more (see weight() in backend_support.hpp). Rows
-- as checkpoint_rows.hpp says. A value that several checkpoints share is one row. Only keys are
-- sorted, and the planner cannot join whole threads: see get.sql. A document is weighed by its text,
-- which costs as much as to send it. So those that lie beyond the page by what they take on disk,
-- which the row itself tells, are left out before; compressed ones count as four times that.
WITH place AS MATERIALIZED (
  SELECT thread_id, checkpoint_ns, checkpoint_id,
         (row_number() OVER (ORDER BY {order}))::int AS item
  FROM (SELECT thread_id, checkpoint_ns, checkpoint_id
        FROM {schema}checkpoints
        WHERE {where}
        ORDER BY {order} LIMIT {most}) AS first
), checkpoint AS MATERIALIZED (
  SELECT *
  FROM (SELECT place.*, row.*, sum(row.stored) OVER (ORDER BY item) - row.stored AS stored_before
        FROM place
        CROSS JOIN LATERAL (
          SELECT parent_checkpoint_id, checkpoint AS document, metadata,
                 pg_column_size(checkpoint)::bigint
                   * CASE WHEN pg_column_compression(checkpoint) IS NULL THEN 1 ELSE 4 END AS stored
          FROM {schema}checkpoints
          WHERE thread_id = place.thread_id AND checkpoint_ns = place.checkpoint_ns
            AND checkpoint_id = place.checkpoint_id
          LIMIT 1
        ) AS row) AS found
  WHERE item = 1 OR stored_before < {max_bytes}
), value AS MATERIALIZED (
  SELECT version.items, version.item, version.channel, version.version, blob.type, blob.blob
  FROM (SELECT array_agg(item) AS items, min(item) AS item, thread_id, checkpoint_ns,
               each.key AS channel, each.value AS version
        FROM checkpoint
        CROSS JOIN LATERAL jsonb_each_text(CASE jsonb_typeof(document -> 'channel_versions')
                                             WHEN 'object' THEN document -> 'channel_versions'
                                           END) AS each
        WHERE {values}
        GROUP BY thread_id, checkpoint_ns, each.key, each.value) AS version
  CROSS JOIN LATERAL (
    SELECT type, blob FROM {schema}checkpoint_blobs
    WHERE thread_id = version.thread_id AND checkpoint_ns = version.checkpoint_ns
      AND channel = version.channel AND version = version.version
    LIMIT 1
  ) AS blob
  WHERE blob.type <> 'empty' AND blob.blob IS NOT NULL
), pending AS MATERIALIZED (
  SELECT checkpoint.item, write.channel, write.task_id, write.type, write.task_path, write.idx,
         write.blob
  FROM checkpoint
  CROSS JOIN LATERAL (
    SELECT channel, task_id, type, task_path, idx, blob FROM {schema}checkpoint_writes
    WHERE thread_id = checkpoint.thread_id AND checkpoint_ns = checkpoint.checkpoint_ns
      AND checkpoint_id = checkpoint.checkpoint_id
    OFFSET 0
  ) AS write
  WHERE {writes}
), part AS (
  SELECT item, octet_length(document::text) + octet_length(metadata::text) AS bytes FROM checkpoint
  UNION ALL
  SELECT unnest(items), octet_length(blob) FROM value
  UNION ALL
  SELECT item, octet_length(blob) FROM pending
), page AS MATERIALIZED (
  SELECT count(*)::int AS items
  FROM (SELECT item, sum(sum(bytes)) OVER (ORDER BY item) - sum(bytes) AS bytes_before
        FROM part GROUP BY item) AS weighed
  WHERE item = 1 OR (item < {most} AND bytes_before < {max_bytes})
)
SELECT 0 AS kind, item, checkpoint_id, parent_checkpoint_id, thread_id, checkpoint_ns,
       (SELECT count(*) FROM place)::int AS number, NULL::bytea AS payload, document, metadata
FROM checkpoint
WHERE item <= (SELECT items FROM page)
UNION ALL
SELECT 1, item, channel, version, type, array_to_string(items, ','), NULL, blob, NULL, NULL
FROM value
WHERE item <= (SELECT items FROM page)
UNION ALL
SELECT 2, item, channel, task_id, type, task_path, idx, blob, NULL, NULL
FROM pending
WHERE item <= (SELECT items FROM page);
