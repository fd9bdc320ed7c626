-- SPDX-License-Identifier: Apache-2.0
SELECT {schema}threadkeep_retention_require_archive($1::text::boolean)::text
