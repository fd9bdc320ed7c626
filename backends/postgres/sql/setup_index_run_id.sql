-- SPDX-License-Identifier: Apache-2.0
-- An index refuses long keys, and with them whoever stores one. No id that can be asked for is longer.
CREATE INDEX {concurrently} threadkeep_checkpoints_run_id
  ON {schema}checkpoints ((metadata ->> 'run_id'))
  WHERE jsonb_typeof(metadata -> 'run_id') = 'string'
    AND length(metadata ->> 'run_id') <= 512;
