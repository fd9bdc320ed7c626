-- SPDX-License-Identifier: Apache-2.0
-- The number of the advisory lock of migrations into schema $1, by which people can find it in
-- pg_locks: the first 8 bytes of a SHA-256.
SELECT ('x' || left(encode(sha256(convert_to(
          'threadkeep migrate-tier|' || current_database() || '|' || $1::text, 'UTF8')), 'hex'), 16)
       )::bit(64)::bigint AS lock
