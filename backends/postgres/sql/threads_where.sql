-- Those whose own metadata fulfil {where}: only those with a row have any.
page AS MATERIALIZED (
  SELECT thread_id FROM {schema}threadkeep_threads
  WHERE thread_id > $1::text AND {where} ORDER BY thread_id LIMIT $2::bigint
)
