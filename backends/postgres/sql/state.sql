-- SPDX-License-Identifier: Apache-2.0
SELECT key, value, version FROM {schema}{documents}
WHERE {owner} = $1::text AND key = ANY ($2::text[])
