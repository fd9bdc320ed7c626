-- SPDX-License-Identifier: Apache-2.0
SELECT coalesce(bool_or(valid), false) AS built,
       coalesce(bool_or(NOT valid), false) AS invalid,
       coalesce(bool_or(place <> 'checkpoints' OR shape <> $2), false) AS other
FROM (
{catalog_indexes}
) AS found (name, valid, place, shape)
WHERE name = $1;
