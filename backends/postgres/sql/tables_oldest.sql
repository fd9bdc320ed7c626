-- SPDX-License-Identifier: Apache-2.0
-- The first transaction that a snapshot does not see ended: all before it are in the snapshot or
-- were rolled back.
SELECT (txid_snapshot_xmin(txid_current_snapshot()) % 4294967296)::text
