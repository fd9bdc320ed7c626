-- SPDX-License-Identifier: Apache-2.0
-- The numbers, from 0, of rows of a stage whose key an earlier row has.
SELECT number - 1
FROM (
  SELECT row_number() OVER (ORDER BY ctid) AS number,
         row_number() OVER (PARTITION BY {key} ORDER BY ctid) AS occurrence
  FROM {stage}
) AS numbered
WHERE occurrence > 1
  AND (SELECT count(*) FROM {stage}) > (SELECT count(*) FROM (SELECT DISTINCT {key} FROM {stage}) AS k)
ORDER BY number
