-- SPDX-License-Identifier: Apache-2.0
SELECT {schema}threadkeep_retention_stored_policies()::text
