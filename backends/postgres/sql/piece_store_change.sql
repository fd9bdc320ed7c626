document AS (
  INSERT INTO {schema}{documents} ({owner}, key, version, value_hash, value)
  SELECT $1::text, key, version + 1, value_hash, value FROM change
  WHERE outcome = 'put' AND (SELECT verdict FROM verdict) = 'store'
  ON CONFLICT ({owner}, key) DO UPDATE SET
    version = excluded.version,
    value_hash = excluded.value_hash,
    value = excluded.value
),
erased AS (
  DELETE FROM {schema}{documents}
  WHERE {owner} = $1::text
    AND key IN (SELECT key FROM change WHERE outcome = 'erase')
    AND (SELECT verdict FROM verdict) = 'store'
)
