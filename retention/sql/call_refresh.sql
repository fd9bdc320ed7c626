-- SPDX-License-Identifier: Apache-2.0
-- $1: threads, as JSON.
SELECT {schema}threadkeep_retention_refresh(
  ARRAY(SELECT jsonb_array_elements_text($1::text::jsonb)))::text
