-- SPDX-License-Identifier: Apache-2.0
CREATE INDEX {concurrently} threadkeep_checkpoints_order
  ON {schema}checkpoints (thread_id, checkpoint_ns, checkpoint_id COLLATE "C");
