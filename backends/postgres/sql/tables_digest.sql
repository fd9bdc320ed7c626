-- SPDX-License-Identifier: Apache-2.0
-- How many rows there are in a range, and the digest of what they hold. What is sorted is short.
SELECT count(*),
       coalesce(encode(sha256(convert_to(string_agg(piece, '' ORDER BY {keys}), 'UTF8')), 'hex'), '')
FROM (
  SELECT {keys},
         CASE WHEN octet_length(whole) <= 200 THEN whole
              ELSE '#' || encode(sha256(convert_to(whole, 'UTF8')), 'hex') END AS piece
  FROM (SELECT {keys}, {text} AS whole FROM {rows} AS t WHERE {conditions} OFFSET 0) AS t
  OFFSET 0
) AS t
