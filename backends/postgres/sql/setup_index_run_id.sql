-- SPDX-License-Identifier: Apache-2.0
CREATE INDEX {concurrently} threadkeep_checkpoints_run_id
  ON {schema}checkpoints ((metadata ->> 'run_id')) WHERE metadata ? 'run_id';
