-- SPDX-License-Identifier: Apache-2.0
SELECT version, name, checksum, oldest_reader, tool_version, finished_at IS NOT NULL
FROM {schema}threadkeep_migrations
ORDER BY version;
