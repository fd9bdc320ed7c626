-- SPDX-License-Identifier: Apache-2.0
-- The first $3 messages of stream $2 of thread $1 that {where} says, in the order of their seqs,
-- fewer when those before one weigh $4 bytes or more (see weight() in session_support.hpp). The last
-- column tells how many there are that are not cut off by their bytes.
SELECT stream, seq, id, role, created_at, version, metadata, content, there
FROM (
  SELECT
    *,
    row_number() OVER (ORDER BY seq{order}) AS item,
    sum({weight}) OVER (ORDER BY seq{order}) - {weight} AS bytes_before,
    count(*) OVER () AS there
  FROM (
    SELECT stream, seq, id, role, created_at, version, metadata, {content} AS content
    FROM {schema}threadkeep_messages
    WHERE thread_id = $1::text AND stream = $2::text AND {where}
    ORDER BY seq{order}
    LIMIT $3::bigint
  ) AS first
) AS weighed
WHERE item = 1 OR bytes_before < $4::bigint
ORDER BY seq{order}
