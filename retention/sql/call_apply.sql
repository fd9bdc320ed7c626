-- SPDX-License-Identifier: Apache-2.0
SELECT {schema}threadkeep_retention_apply($1::text::jsonb)::text
