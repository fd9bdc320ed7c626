-- SPDX-License-Identifier: Apache-2.0
CREATE INDEX {concurrently} threadkeep_checkpoints_thread
  ON {schema}checkpoints ((thread_id COLLATE "C"));
