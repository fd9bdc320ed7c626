-- SPDX-License-Identifier: Apache-2.0
-- Whether this session has advisory lock $1.
SELECT EXISTS (
  SELECT FROM pg_locks
  WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND pid = pg_backend_pid()
    AND (classid::bigint << 32) | objid::bigint = $1::bigint
)
