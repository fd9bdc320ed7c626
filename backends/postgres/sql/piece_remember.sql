-- What the operation did, to be returned when it is repeated; and those of long ago are forgotten.
forgotten AS (
  DELETE FROM {schema}threadkeep_operations
  WHERE thread_id = $1::text
    AND revision <= (SELECT revision FROM outcome) - {operation_memory}
    AND (SELECT changed FROM written) > 0
    AND {operation_id} <> ''
),
remembered AS (
  INSERT INTO {schema}threadkeep_operations
    (thread_id, operation_id, fingerprint, revision, result)
  SELECT $1::text, {operation_id}, {fingerprint}, revision, result FROM outcome
  WHERE (SELECT changed FROM written) > 0 AND {operation_id} <> ''
)
