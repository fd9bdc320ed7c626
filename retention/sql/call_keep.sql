-- SPDX-License-Identifier: Apache-2.0
SELECT {schema}threadkeep_retention_keep($1::text, $2::text)::text
