-- SPDX-License-Identifier: Apache-2.0
INSERT INTO {table} AS t ({columns})
OVERRIDING SYSTEM VALUE
SELECT {values} FROM {stage} AS s
