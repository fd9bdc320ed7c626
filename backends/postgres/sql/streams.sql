-- SPDX-License-Identifier: Apache-2.0
-- The streams of thread $1 that have messages.
SELECT stream FROM {schema}threadkeep_streams AS known
WHERE thread_id = $1::text
  AND EXISTS (SELECT FROM {schema}threadkeep_messages
              WHERE thread_id = $1::text AND stream = known.stream)
ORDER BY stream;
