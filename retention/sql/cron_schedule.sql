-- SPDX-License-Identifier: Apache-2.0
SELECT cron.schedule($threadkeep$threadkeep retention {only_schema}$threadkeep$, $1::text,
                     $threadkeep$CALL {schema}threadkeep_retention_sweep()$threadkeep$)::text
