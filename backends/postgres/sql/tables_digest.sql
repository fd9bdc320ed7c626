-- SPDX-License-Identifier: Apache-2.0
-- How many rows there are in a range, and the digest of what they hold. The rows come in the order
-- of their key, mostly by its index; another order would only make digests differ, and rows be
-- looked at.
SELECT count(*),
       coalesce(encode(sha256(convert_to(string_agg(piece, ''), 'UTF8')), 'hex'), '')
FROM (
  SELECT CASE WHEN octet_length(whole) <= 2000 THEN whole
              ELSE '#' || encode(sha256(convert_to(whole, 'UTF8')), 'hex') END AS piece
  FROM (SELECT {text} AS whole FROM {rows} AS t WHERE {conditions} ORDER BY {keys}) AS t
  OFFSET 0
) AS t
