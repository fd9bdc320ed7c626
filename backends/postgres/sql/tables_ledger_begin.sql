-- SPDX-License-Identifier: Apache-2.0
INSERT INTO {schema}.threadkeep_tier_runs (id, source, plan_hash, started_at)
VALUES ($1::text, $2::text, $3::text, $4::timestamptz)
ON CONFLICT (id) DO NOTHING
