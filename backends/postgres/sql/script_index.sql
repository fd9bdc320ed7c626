
-- Step {version}: index {name}. A build that is broken off leaves an invalid index, which is dropped first.
EXECUTE threadkeep_index('{name}', {shape}) \gset
\if :other
  DO 'BEGIN RAISE EXCEPTION ''index {name} has another definition; rename or drop it''; END';
\endif
SELECT ({for_bytewise} OR NOT :'bytewise'::boolean) AND NOT :'built'::boolean AS build \gset
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
  EXECUTE threadkeep_index('{name}', {shape}) \gset
  \if :built
{record_finish}
  \else
  DO 'BEGIN RAISE EXCEPTION ''index {name} is not valid; run this again''; END';
  \endif
\else
{record}
\endif
