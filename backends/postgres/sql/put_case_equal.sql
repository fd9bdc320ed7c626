    WHEN EXISTS (
      SELECT FROM {schema}checkpoints
      WHERE thread_id = $1::text AND checkpoint_ns = $2::text AND checkpoint_id = $3::text
        AND parent_checkpoint_id IS NOT DISTINCT FROM $4::text
        AND metadata = $6::jsonb AND checkpoint = $5::jsonb
    )
    THEN 'equal'
