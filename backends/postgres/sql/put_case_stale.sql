    WHEN (
      SELECT checkpoint_id
      FROM {schema}checkpoints
      WHERE thread_id = $1::text AND checkpoint_ns = $2::text
      ORDER BY checkpoint_id{c} DESC
      LIMIT 1
    ) IS DISTINCT FROM $4::text
    THEN 'stale'
