-- SPDX-License-Identifier: Apache-2.0
-- Checkpoints and bytes of the threads $1, all of their rows, as stats_threads.sql counts them.
SELECT id.thread_id,
       (SELECT count(*) FROM {schema}checkpoints AS c WHERE c.thread_id = id.thread_id),
       ((SELECT coalesce(sum(pg_column_size(checkpoint) + pg_column_size(metadata)), 0)
         FROM {schema}checkpoints AS c WHERE c.thread_id = id.thread_id)
        + (SELECT coalesce(sum(pg_column_size(blob)), 0)
           FROM {schema}checkpoint_blobs AS b WHERE b.thread_id = id.thread_id)
        + (SELECT coalesce(sum(pg_column_size(blob)), 0)
           FROM {schema}checkpoint_writes AS w WHERE w.thread_id = id.thread_id)
        + (SELECT coalesce(sum(pg_column_size(content) + pg_column_size(metadata)), 0)
           FROM {schema}threadkeep_messages AS m WHERE m.thread_id = id.thread_id)
        + (SELECT coalesce(sum(pg_column_size(value)), 0)
           FROM {schema}threadkeep_state AS s WHERE s.thread_id = id.thread_id))::bigint
FROM unnest($1::text[]) AS id(thread_id)
