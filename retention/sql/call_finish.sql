-- SPDX-License-Identifier: Apache-2.0
-- $3: what went wrong, or empty.
SELECT {schema}threadkeep_retention_finish(
  $1::text::bigint, $2::text::boolean, nullif($3::text, ''))
