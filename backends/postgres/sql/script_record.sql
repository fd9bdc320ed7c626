SELECT count(*) = 0 AS unrecorded FROM {schema}threadkeep_migrations
WHERE version = {version} AND finished_at IS NOT NULL \gset
\if :unrecorded
{record_begin}
{record_finish}
\endif
