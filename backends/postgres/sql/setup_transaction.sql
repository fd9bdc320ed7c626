-- SPDX-License-Identifier: Apache-2.0
-- Whatever the role's defaults are: a statement has to see what was committed before it.
BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
SET LOCAL lock_timeout = '{lock_timeout}';
SET LOCAL statement_timeout = '{statement_timeout}';
SET LOCAL idle_in_transaction_session_timeout = '30s';
