-- SPDX-License-Identifier: Apache-2.0
SELECT FROM {schema}threadkeep_operations WHERE thread_id = $1::text AND operation_id = $2::text
