-- SPDX-License-Identifier: Apache-2.0
-- As tables_digest.sql, of the server's hashes of the values.
SELECT count(*), coalesce(encode(sha256(string_agg(piece, ''::bytea)), 'hex'), '')
FROM (
  SELECT int8send(hash_record_extended(ROW({values}), 0)) AS piece
  FROM {rows} AS t WHERE {conditions} ORDER BY {keys}
) AS t
