-- SPDX-License-Identifier: Apache-2.0
-- How many rows there are, and how many of them were written by transaction $1 or a later one.
SELECT count(*), count(*) FILTER (WHERE age(t.xmin) <= age($1::text::xid)) FROM {rows} AS t
