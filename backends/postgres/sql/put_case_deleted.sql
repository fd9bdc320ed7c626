    -- Cheap conditions first: most threads have no tombstone.
    WHEN $4::text IS NOT NULL
      AND EXISTS (SELECT FROM {schema}threadkeep_tombstones WHERE thread_id = $1::text)
      AND NOT EXISTS (
        SELECT FROM {schema}checkpoints
        WHERE thread_id = $1::text AND checkpoint_ns = $2::text AND checkpoint_id = $4::text
      )
      AND NOT EXISTS (
        SELECT FROM {schema}checkpoints
        WHERE thread_id = $1::text AND checkpoint_ns = $2::text AND checkpoint_id = $3::text
      )
    THEN 'deleted'
