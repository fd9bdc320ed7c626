-- SPDX-License-Identifier: Apache-2.0
-- Names of named scopes after $1, $2 at most.
SELECT DISTINCT scope COLLATE "C" AS scope FROM {schema}threadkeep_scopes
WHERE scope > $1::text COLLATE "C"
ORDER BY scope
LIMIT $2::text::bigint
