-- SPDX-License-Identifier: Apache-2.0
UPDATE {schema}threadkeep_migrations SET finished_at = clock_timestamp() WHERE version = {version};
