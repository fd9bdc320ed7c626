-- SPDX-License-Identifier: Apache-2.0
SELECT
  count(*) FILTER (WHERE inserted AND state = 'unchanged'),
  count(*) FILTER (WHERE inserted AND state = 'changed'),
  count(*) FILTER (WHERE inserted AND state = 'gone'),
  count(*) FILTER (WHERE NOT inserted)
FROM {undo}
