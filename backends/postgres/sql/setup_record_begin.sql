-- SPDX-License-Identifier: Apache-2.0
INSERT INTO {schema}threadkeep_migrations
  (version, name, checksum, oldest_reader, tool_version, started_at)
VALUES ({version}, '{name}', '{checksum}', {oldest_reader}, '{tool_version}', clock_timestamp())
ON CONFLICT (version) DO UPDATE
  SET (name, checksum, oldest_reader, tool_version, started_at, finished_at)
    = (excluded.name, excluded.checksum, excluded.oldest_reader, excluded.tool_version,
       excluded.started_at, NULL);
