-- SPDX-License-Identifier: Apache-2.0
SELECT {schema}threadkeep_retention_archive_required()::text
