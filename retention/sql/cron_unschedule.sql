-- SPDX-License-Identifier: Apache-2.0
SELECT cron.unschedule(j.jobid)::text FROM cron.job AS j
WHERE j.jobname = $threadkeep$threadkeep retention {only_schema}$threadkeep$
