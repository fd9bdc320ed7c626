-- SPDX-License-Identifier: Apache-2.0
-- Step 2, with the column of LangGraph's version 9: says in its own record that 9 is reached. Some of
-- its versions would add the column again, fail, and never start any more. What lies between are
-- indexes that the primary keys make needless.
INSERT INTO {schema}checkpoint_migrations (v) SELECT generate_series(0, 9) ON CONFLICT DO NOTHING;
