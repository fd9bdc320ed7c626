-- SPDX-License-Identifier: Apache-2.0
-- Takes out of a stage what the target has already: equal rows, and those of which the target has a
-- newer one. How many of each there were.
WITH met AS MATERIALIZED (
  SELECT s.ctid AS place, {differs} AS different, {kept} AS newer
  FROM {stage} AS s JOIN {rows} AS t ON {match}
), settled AS (
  DELETE FROM {stage} AS s USING met
  WHERE s.ctid = met.place AND (met.newer OR NOT met.different)
  RETURNING met.different
)
SELECT count(*) FILTER (WHERE NOT different), count(*) FILTER (WHERE different) FROM settled
