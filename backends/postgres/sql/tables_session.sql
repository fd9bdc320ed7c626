-- SPDX-License-Identifier: Apache-2.0
-- What a session has that copies tables of schema $1: values are written in one form on both sides,
-- and nothing but the caller's own time ends what takes long. What row security hides is an error
-- and not a gap. Types and operators of extensions are found where the role finds them.
SELECT
  set_config('search_path', concat_ws(', ', quote_ident($1::text),
             nullif(current_setting('search_path'), '')), false),
  set_config('datestyle', 'ISO, YMD', false),
  set_config('intervalstyle', 'postgres', false),
  set_config('timezone', 'UTC', false),
  set_config('bytea_output', 'hex', false),
  set_config('extra_float_digits', '1', false),
  set_config('lc_monetary', 'C', false),
  set_config('xmloption', 'content', false),
  set_config('row_security', 'off', false),
  set_config('client_min_messages', 'warning', false),
  set_config('temp_buffers', '32MB', false),
  set_config('statement_timeout', '0', false),
  set_config('idle_session_timeout', '0', false),
  set_config('idle_in_transaction_session_timeout', '0', false),
  CASE WHEN current_setting('transaction_timeout', true) IS NOT NULL
    THEN set_config('transaction_timeout', '0', false) END,
  -- A store's connection plans for small statements: see connect.sql. These are the role's own.
  (SELECT count(set_config(name, reset_val, false)) FROM pg_settings
   WHERE name IN ('enable_seqscan', 'plan_cache_mode')),
  EXISTS (SELECT FROM pg_namespace WHERE nspname = $1::text),
  version() ~* 'emscripten|emcc|wasm'
