-- SPDX-License-Identifier: Apache-2.0
SELECT {schema}threadkeep_retention_mark($1::text, $2::text, $3::text, $4::text::boolean)::text
