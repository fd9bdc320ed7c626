-- SPDX-License-Identifier: Apache-2.0
-- $2: microseconds since 1970, or empty.
SELECT {schema}threadkeep_retention_expire($1::text, timestamptz '1970-01-01 00:00:00+00'
  + nullif($2::text, '')::bigint * interval '1 microsecond')::text
