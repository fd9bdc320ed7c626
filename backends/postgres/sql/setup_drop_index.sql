-- SPDX-License-Identifier: Apache-2.0
DROP INDEX CONCURRENTLY IF EXISTS {schema}{index};
