-- SPDX-License-Identifier: Apache-2.0
-- The job and how it ended the last time, which is not known to runs that never began.
SELECT j.schedule, coalesce(last.status, ''), coalesce(last.return_message, '')
FROM cron.job AS j
LEFT JOIN LATERAL (SELECT d.status, d.return_message FROM cron.job_run_details AS d
                   WHERE d.jobid = j.jobid ORDER BY d.runid DESC LIMIT 1) AS last ON true
WHERE j.jobname = $threadkeep$threadkeep retention {only_schema}$threadkeep$
