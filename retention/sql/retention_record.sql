-- SPDX-License-Identifier: Apache-2.0
DO $threadkeep$
BEGIN
  IF (SELECT version FROM {schema}threadkeep_modules WHERE name = 'retention') > {module_version} THEN
    RAISE EXCEPTION 'a newer threadkeep has installed its retention here'
      USING ERRCODE = 'feature_not_supported', HINT = 'install with that version or a newer one';
  END IF;
END
$threadkeep$;
INSERT INTO {schema}threadkeep_modules (name, version, tool_version)
VALUES ('retention', {module_version}, '{tool_version}')
ON CONFLICT (name) DO UPDATE SET
  version = excluded.version, tool_version = excluded.tool_version, installed_at = now();
