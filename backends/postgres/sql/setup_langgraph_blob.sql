-- SPDX-License-Identifier: Apache-2.0
-- Step 2, on tables that LangGraph made: what its own version 4 changes.
ALTER TABLE {schema}checkpoint_blobs ALTER COLUMN blob DROP NOT NULL;
