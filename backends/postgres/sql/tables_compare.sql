-- SPDX-License-Identifier: Apache-2.0
-- Rows of a stage that the target lacks or has with other values, and those that are newer there.
SELECT count(*) FILTER (WHERE {absent}), count(*) FILTER (WHERE NOT {absent}),
       count(*) FILTER (WHERE NOT {absent} AND {newer})
FROM {stage} AS s LEFT JOIN {rows} AS t ON {match}
WHERE {absent} OR {differs}
