-- The one round trip after connecting. $1 is the process that the connection says it talks to, $2
-- the schema of the settings. Behind a pooler another process answers, and nothing may be set that
-- outlives a transaction. What the user, the role or the server has set already stays as it is.
WITH session AS MATERIALIZED (
  SELECT pg_backend_pid() = $1::integer AS direct
)
SELECT
  direct,
  coalesce($2::text, current_schema()::text, ''),
  current_setting('server_encoding'),
  -- Plans do not depend on the values of parameters here, and planning costs more than most reads.
  CASE WHEN direct AND current_setting('plan_cache_mode') = 'auto'
    THEN set_config('plan_cache_mode', 'force_generic_plan', false) END,
  -- A plan made while a table is small stays in use while it grows. Every statement has an index,
  -- but for the one that finds runs before setup() has built its: see WriteStatements.
  CASE WHEN direct AND current_setting('enable_seqscan') = 'on'
    THEN set_config('enable_seqscan', 'off', false) END,
  CASE WHEN direct AND current_setting('jit') = 'on'
    THEN set_config('jit', 'off', false) END,
  -- A call that was given up must not go on at the server. Only Linux can watch its sockets so.
  CASE WHEN direct AND current_setting('client_connection_check_interval') = '0'
      AND version() LIKE '%linux%'
    THEN set_config('client_connection_check_interval', '2s', false) END,
  CASE WHEN direct AND current_setting('idle_in_transaction_session_timeout') = '0'
    THEN set_config('idle_in_transaction_session_timeout', '60s', false) END,
  -- What a write decides behind a lock, it decides by what it finds after the wait. This one is no
  -- matter of taste, and is set even where it holds: the server's own setting may be changed and
  -- loaded while the session lasts.
  CASE WHEN direct
    THEN set_config('default_transaction_isolation', 'read committed', false) END
FROM session
