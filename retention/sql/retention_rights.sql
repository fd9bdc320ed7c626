-- SPDX-License-Identifier: Apache-2.0
-- Functions are open to everybody unless somebody closes them.
DO $threadkeep$
DECLARE
  v_function regprocedure;
BEGIN
  FOR v_function IN
    SELECT p.oid FROM pg_proc AS p
    JOIN pg_class AS c ON c.relnamespace = p.pronamespace
    JOIN {schema}threadkeep_modules AS m ON m.tableoid = c.oid
    WHERE m.name = 'retention'
      AND (p.proname LIKE 'threadkeep\_retention\_%' OR p.proname = 'langgraph_cleanup_old_data')
  LOOP
    EXECUTE format('REVOKE EXECUTE ON ROUTINE %s FROM PUBLIC', v_function);
  END LOOP;
END
$threadkeep$;

-- Who may sweep gets the functions that are new with this version.
DO $threadkeep$
DECLARE
  v_role text;
BEGIN
  FOR v_role IN
    SELECT DISTINCT acl.grantee::regrole::text
    FROM pg_proc AS p
    JOIN pg_class AS c ON c.relnamespace = p.pronamespace
    JOIN {schema}threadkeep_modules AS m ON m.tableoid = c.oid
    CROSS JOIN LATERAL aclexplode(p.proacl) AS acl
    WHERE m.name = 'retention' AND p.proname = 'threadkeep_retention_sweep'
      AND acl.grantee <> 0 AND acl.grantee <> p.proowner
  LOOP
    EXECUTE $grant$GRANT EXECUTE ON FUNCTION
{granted} TO $grant$ || v_role;
  END LOOP;
END
$threadkeep$;
