-- SPDX-License-Identifier: Apache-2.0
-- Step 2, on tables that LangGraph made: what its own version 4 changes. Its record of versions
-- stays as it is, so that its own setup() goes on as if we had not been here.
ALTER TABLE {schema}checkpoint_blobs ALTER COLUMN blob DROP NOT NULL;
