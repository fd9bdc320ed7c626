-- SPDX-License-Identifier: Apache-2.0
SELECT coalesce(max(v), -1)::int FROM {schema}checkpoint_migrations;
