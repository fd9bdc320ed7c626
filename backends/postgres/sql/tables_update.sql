-- SPDX-License-Identifier: Apache-2.0
-- Changes the rows that are there. What another session has done meanwhile is looked at again.
UPDATE {rows} AS t SET {assignments}
FROM {stage} AS s
WHERE {match} AND {differs} AND NOT {kept}
