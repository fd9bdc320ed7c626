-- SPDX-License-Identifier: Apache-2.0
SELECT {schema}threadkeep_retention_keep_time('tombstones'),
       {schema}threadkeep_retention_keep_time('audit')
