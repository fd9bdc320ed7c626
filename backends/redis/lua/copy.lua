-- Prepares the target of a copy; the values follow as HSETNX.
-- Arguments: thread id, time to live, now, nonce, `1` when the source has info, its metadata or
-- nothing, number of checkpoints, number of other members of the index; then the fields of the
-- checkpoints, the other members, and the fields of the blobs.
local id, ttl, now, nonce, has_info, metadata = unpack(ARGV, 1, 6)
local checkpoints, others = tonumber(ARGV[7]), tonumber(ARGV[8])
local head = read_head()
local known, members, rest = {}, {}, {}
for n = 9, 8 + checkpoints do
  known[ARGV[n]] = true
  members[#members + 1] = ARGV[n]
end
for _, member in ipairs(call('ZRANGEBYLEX', index, '[c', '(d')) do
  if not known[member] then
    for n = 9, #ARGV do
      if ARGV[n]:sub(1, 1) ~= 'r' then call('HSETNX', thread, ARGV[n], '') end
    end
    return {'others'}
  end
end
for n = 9 + checkpoints, 8 + checkpoints + others do rest[#rest + 1] = ARGV[n] end
local changed = each_thousand('ZADD', index, members, 0)
each_thousand('ZADD', index, rest, 0)
head.checkpoints = head.checkpoints + changed
if has_info == '1' and head.created == '-' then
  touch(head, id, now, nonce)
  if metadata ~= '' then call('HSET', thread, 'm', metadata) end
elseif changed > 0 then
  touch(head, id, now, nonce)
end
head.changes = head.changes + 1
if head.created ~= '-' or head.tombstone ~= '' then write_head(head) end
expire(id, head.created ~= '-', tonumber(ttl))
return {'ok', changed, checkpoints - changed}
