-- SPDX-License-Identifier: Apache-2.0
-- The sequences that give values to whole-number columns of table $2 in schema $1: of identity
-- columns, owned ones (serial), and those that a default names.
WITH used AS (
  SELECT d.objid AS sequence, d.refobjsubid AS place
  FROM pg_depend AS d
  WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
    AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
    AND d.refobjid = to_regclass(format('%I.%I', $1::text, $2::text))
  UNION
  SELECT d.refobjid, f.adnum
  FROM pg_attrdef AS f
  JOIN pg_depend AS d ON d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid
    AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'n'
  WHERE f.adrelid = to_regclass(format('%I.%I', $1::text, $2::text))
)
SELECT a.attname, n.nspname, c.relname, s.seqincrement, s.seqmin, s.seqmax
FROM used AS u
JOIN pg_class AS c ON c.oid = u.sequence AND c.relkind = 'S'
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_sequence AS s ON s.seqrelid = c.oid
JOIN pg_attribute AS a ON a.attnum = u.place
  AND a.attrelid = to_regclass(format('%I.%I', $1::text, $2::text))
JOIN pg_type AS t ON t.oid = a.atttypid
JOIN pg_type AS b ON b.oid = CASE WHEN t.typbasetype = 0 THEN t.oid ELSE t.typbasetype END
WHERE b.typnamespace = 'pg_catalog'::regnamespace
  AND b.typname IN ('int2', 'int4', 'int8', 'numeric')
ORDER BY a.attnum, c.relname
