-- SPDX-License-Identifier: Apache-2.0
-- Step 2, on tables that LangGraph made: what its own version 9 changes. Rewrites no rows.
ALTER TABLE {schema}checkpoint_writes ADD COLUMN IF NOT EXISTS task_path text NOT NULL DEFAULT '';
