
-- Step {version}: index {name}. A build that is broken off leaves an invalid index, which is dropped first.
SELECT {for_bytewise} OR NOT :bytewise::boolean AS wanted,
       coalesce(bool_or(valid), false) AS built,
       coalesce(bool_or(NOT valid), false) AS invalid,
       coalesce(bool_or(valid AND (place <> 'checkpoints' OR shape <> '{shape}')), false) AS other
FROM (
{catalog_indexes}
) AS found (name, valid, place, shape)
WHERE name = '{name}' \gset
\if :other
  DO 'BEGIN RAISE EXCEPTION ''index {name} has another definition; rename or drop it''; END';
\endif
SELECT :'wanted'::boolean AND NOT :'built'::boolean AS build \gset
\if :build
  {record_begin}
  SELECT current_setting('statement_timeout') AS statement_timeout,
         current_setting('lock_timeout') AS lock_timeout \gset
  SET statement_timeout = 0;
  SET lock_timeout = 0;
  \if :invalid
    {drop}
  \endif
  {create}
  SET statement_timeout = :'statement_timeout';
  SET lock_timeout = :'lock_timeout';
  SELECT coalesce(bool_and(valid), false) AS built
  FROM (
{catalog_indexes}
  ) AS found (name, valid, place, shape)
  WHERE name = '{name}' \gset
  \if :built
    {record_finish}
  \else
    DO 'BEGIN RAISE EXCEPTION ''index {name} is not valid; run this again''; END';
  \endif
\else
{record}
\endif
