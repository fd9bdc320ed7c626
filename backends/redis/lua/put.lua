-- Stores a checkpoint and its blobs if it may be stored.
-- Arguments: thread id, time to live, now, nonce, namespace, checkpoint id, parent, `1` when the
-- parent has to be the latest, run, `1` when the values follow as HSETNX, what the stored content is
-- expected to be and `1` if that counts as equal, content; then blobs: field and value each.
local id, ttl, now, nonce, ns, checkpoint, parent = unpack(ARGV, 1, 7)
local required, run, external = ARGV[8] == '1', ARGV[9], ARGV[10] == '1'
local expected, counts_as_equal, content = ARGV[11], ARGV[12] == '1', ARGV[13]
local field = 'c' .. ns .. '\0' .. checkpoint
local head = read_head()
local stored = call('HEXISTS', thread, field) == 1

-- What follows outside finds its fields taken, and unblock.lua gives them back.
local function refuse(why, detail)
  if external then
    call('HSETNX', thread, field, '')
    for n = 14, #ARGV, 2 do call('HSETNX', thread, ARGV[n], '') end
  end
  return {why, detail}
end

local equal = false
if required and stored then
  local there = call('HGET', thread, field)
  if there ~= expected then return refuse('compare', there) end
  equal = counts_as_equal
end
if not equal then
  if parent ~= '' and not stored and head.tombstone ~= '' and
      call('HEXISTS', thread, 'c' .. ns .. '\0' .. parent) == 0 then
    return refuse('deleted')
  end
  if required and latest(ns) ~= (parent ~= '' and 'c' .. ns .. '\0' .. parent or nil) then
    return refuse('moved')
  end
end

touch(head, id, now, nonce)
local changed, kept = 0, 0
if equal then
  kept = 1
else
  changed = 1
  if not external then
    call('HSET', thread, field, content)
  elseif stored then
    call('HDEL', thread, field)
  end
  head.checkpoints = head.checkpoints + call('ZADD', index, 0, field)
  if run ~= '' then call('ZADD', index, 0, 'r' .. run:sub(2)) end
end
if not external then
  for n = 14, #ARGV, 2 do
    local fresh = call('HSETNX', thread, ARGV[n], ARGV[n + 1])
    changed, kept = changed + fresh, kept + 1 - fresh
  end
end
head.changes = head.changes + 1
write_head(head)
expire(id, true, tonumber(ttl))
return {'ok', changed, kept}
