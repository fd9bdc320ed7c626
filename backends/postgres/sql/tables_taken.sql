-- SPDX-License-Identifier: Apache-2.0
-- The numbers, from 0, of rows of a stage that want a value of a unique key which a row of the target
-- has and keeps, because no row of the stage has its key.
SELECT DISTINCT lines.number - 1
FROM (SELECT row_number() OVER (ORDER BY ctid), ctid FROM {stage}) AS lines (number, place)
JOIN {stage} AS s ON s.ctid = lines.place
JOIN {rows} AS o ON {wants}
WHERE NOT EXISTS (SELECT FROM {stage} AS b WHERE {changes})
  AND NOT EXISTS (SELECT FROM {rows} AS t WHERE {match} AND ({kept} OR NOT {differs}))
ORDER BY 1
