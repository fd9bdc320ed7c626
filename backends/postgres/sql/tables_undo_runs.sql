-- SPDX-License-Identifier: Apache-2.0
-- The runs of a schema, the last one first.
SELECT id FROM {schema}.threadkeep_tier_runs ORDER BY started_at DESC, id
