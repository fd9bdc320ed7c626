-- SPDX-License-Identifier: Apache-2.0
-- The key of the row that is $1 after a place.
SELECT {texts} FROM {rows} AS t WHERE {conditions} ORDER BY {keys} OFFSET $1::bigint - 1 LIMIT 1
