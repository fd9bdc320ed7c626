-- Prepares the target of a copy; the values follow as HSETNX.
-- Arguments: thread id, time to live, now, nonce, `1` when the source has info, its metadata or
-- nothing, number of checkpoints, number of other members of the index; then the fields of the
-- checkpoints, the other members, and the fields of the blobs.
local id, ttl, now, nonce, has_info, metadata = unpack(ARGV, 1, 6)
local checkpoints, others = tonumber(ARGV[7]), tonumber(ARGV[8])
local members, rest, outside = {}, {}, {}
for n = 9, #ARGV do
  local name = ARGV[n]
  if n <= 8 + checkpoints then
    members[#members + 1] = name
  elseif n <= 8 + checkpoints + others then
    rest[#rest + 1] = name
  end
  if name:sub(1, 1) ~= 'r' then outside[#outside + 1] = name end
end

-- The target holds checkpoints that the source does not have.
local function has_others()
  local known = {}
  for _, field in ipairs(members) do known[field] = true end
  for _, field in ipairs(call('ZRANGEBYLEX', index, '[c', '(d')) do
    if not known[field] then return true end
  end
  return false
end

local function copy()
  local head = read_head()
  if is_torn(head) then return torn end
  if has_others() then return {'others'} end
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
end

return decide(copy, outside)
