-- SPDX-License-Identifier: Apache-2.0
-- What has become of the rows of one table that a run has written: a row for each of them.
CREATE TEMPORARY TABLE {name} (
  number bigint PRIMARY KEY,
  key text[] NOT NULL,
  inserted boolean NOT NULL,
  hash bytea NOT NULL,
  state text NOT NULL,
  {columns}
)
