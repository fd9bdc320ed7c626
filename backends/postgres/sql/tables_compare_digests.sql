-- SPDX-License-Identifier: Apache-2.0
-- Equal rows of a table without a key count as often as they are there.
SELECT coalesce(sum(greatest(coalesce(ours.rows, 0) - coalesce(theirs.rows, 0), 0)), 0)::bigint,
       coalesce(sum(greatest(coalesce(theirs.rows, 0) - coalesce(ours.rows, 0), 0)), 0)::bigint
FROM (SELECT digest, count(*) AS rows FROM {keys} GROUP BY digest) AS ours
FULL JOIN (SELECT {target_digest} AS digest, count(*) AS rows FROM {rows} AS t GROUP BY 1) AS theirs
  USING (digest)
