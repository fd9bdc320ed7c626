-- SPDX-License-Identifier: Apache-2.0
-- Adds the rows that are not there, in the order of their key as every session does.
INSERT INTO {table} AS t ({columns})
OVERRIDING SYSTEM VALUE
SELECT {values} FROM {stage} AS s
WHERE NOT EXISTS (SELECT FROM {rows} AS t WHERE {match})
ORDER BY {key}
ON CONFLICT ({conflict}) DO {action}
