-- SPDX-License-Identifier: Apache-2.0
-- Advisory locks of the threads $1, ended by the transaction: of their own where $2 is not 0, else
-- shared. The function scan yields the keys in the order of the arrays, which is sorted.
SELECT count(CASE
  WHEN own <> 0 THEN pg_advisory_xact_lock(key)
  ELSE pg_advisory_xact_lock_shared(key)
END)
FROM unnest($1::bigint[], $2::bigint[]) AS wanted (key, own)
