-- SPDX-License-Identifier: Apache-2.0
-- What else looks like a table in schema $1, and why it is not copied.
SELECT
  c.relname,
  CASE
    WHEN e.extname IS NOT NULL THEN 'belongs to extension ' || quote_ident(e.extname)
    WHEN c.relkind = 'v' THEN 'a view'
    WHEN c.relkind = 'm' THEN 'a materialized view: refresh it in the target'
    ELSE 'a foreign table'
  END
FROM pg_class AS c
LEFT JOIN pg_depend AS d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
LEFT JOIN pg_extension AS e ON e.oid = d.refobjid
WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1::text)
  AND NOT c.relispartition AND NOT starts_with(c.relname::text, 'threadkeep_')
  AND (c.relkind IN ('v', 'm', 'f') OR (c.relkind IN ('r', 'p') AND e.extname IS NOT NULL))
ORDER BY c.relname::text COLLATE "C"
