-- SPDX-License-Identifier: Apache-2.0
SELECT revision FROM {schema}threadkeep_threads WHERE thread_id = $1::text
