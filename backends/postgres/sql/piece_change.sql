-- What becomes of each document: 'keep', 'put', 'erase', a 'conflict' of versions, or in 'doubt':
-- other text with the same hash, so that most likely the values are equal.
change AS MATERIALIZED (
  SELECT
    place, key, given.value, given.value_hash, stored.value AS stored_value,
    coalesce(stored.version, 0) AS version,
    CASE
      WHEN kind = {erase} THEN CASE
        WHEN stored.version IS NULL THEN 'keep'
        WHEN expected NOT IN (-1, stored.version) THEN 'conflict'
        ELSE 'erase'
      END
      WHEN stored.value_hash = given.value_hash AND stored.value = given.value
        AND expected IN (-1, stored.version)
      THEN 'keep'
      WHEN stored.value_hash = given.value_hash AND stored.value <> given.value
        AND NOT $7::boolean
      THEN 'doubt'
      WHEN expected NOT IN (-1, coalesce(stored.version, 0)) THEN 'conflict'
      ELSE 'put'
    END AS outcome
  FROM unnest($2::text[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[])
    WITH ORDINALITY AS given (key, kind, value, value_hash, expected, place)
  LEFT JOIN LATERAL (
    SELECT version, value_hash, value FROM {schema}{documents}
    WHERE {owner} = $1::text AND key = given.key
    LIMIT 1
  ) AS stored ON true
)
