-- SPDX-License-Identifier: Apache-2.0
-- Removes the messages of thread $1 that {which} says. The thread is locked.
WITH gone AS (
  DELETE FROM {schema}threadkeep_messages WHERE thread_id = $1::text {which} RETURNING 1
),
written AS MATERIALIZED (
  SELECT count(*) AS changed FROM gone
),
{raise_revision}
SELECT changed, {revision} FROM written
