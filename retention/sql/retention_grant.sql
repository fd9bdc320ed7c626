-- SPDX-License-Identifier: Apache-2.0
-- What a role needs that sweeps and nothing else.
GRANT USAGE ON SCHEMA {only_schema} TO {grantee};
GRANT EXECUTE ON FUNCTION
{granted} TO {grantee};
GRANT EXECUTE ON PROCEDURE {schema}threadkeep_retention_sweep(interval, integer) TO {grantee};
