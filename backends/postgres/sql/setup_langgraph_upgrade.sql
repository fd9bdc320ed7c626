-- SPDX-License-Identifier: Apache-2.0
-- Step 2, on tables that LangGraph made: what its own versions 4 and 9 change. Its record of
-- versions stays as it is, so that its own setup() runs on as if we had not been here.
ALTER TABLE {schema}checkpoint_blobs ALTER COLUMN blob DROP NOT NULL;
ALTER TABLE {schema}checkpoint_writes ADD COLUMN IF NOT EXISTS task_path text NOT NULL DEFAULT '';
