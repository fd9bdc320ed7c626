-- SPDX-License-Identifier: Apache-2.0
SELECT number, NOT inserted, array_to_string(key, ', ')
FROM {undo}
WHERE number > $1::bigint AND state <> 'gone' AND (state = 'changed' OR NOT inserted)
ORDER BY number
LIMIT 1000
