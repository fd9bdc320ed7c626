-- SPDX-License-Identifier: Apache-2.0
SELECT 'there' FROM pg_catalog.pg_extension WHERE extname = 'pg_cron'
