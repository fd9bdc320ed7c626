-- Stores pending writes unless their checkpoint was deleted.
-- Arguments: thread id, time to live, namespace, checkpoint id, `1` when the values follow as
-- HSETNX; then for each write: task and idx, `1` for a special channel, value.
local id, ttl, ns, checkpoint, external = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5] == '1'
local place = ns .. '\0' .. checkpoint
local head = read_head()

if head.tombstone ~= '' and not less(head.tombstone, checkpoint) and
    call('HEXISTS', thread, 'c' .. place) == 0 then
  for n = 6, external and #ARGV or 0, 3 do
    call('HSETNX', thread, 'w' .. place .. '\0' .. ARGV[n], '')
  end
  return {'dropped'}
end

local changed, kept, members = 0, 0, {}
for n = 6, #ARGV, 3 do
  local field = 'w' .. place .. '\0' .. ARGV[n]
  members[#members + 1] = field
  if external then
    if ARGV[n + 1] == '1' then call('HDEL', thread, field) end
  elseif ARGV[n + 1] == '1' then
    call('HSET', thread, field, ARGV[n + 2])
    changed = changed + 1
  else
    local fresh = call('HSETNX', thread, field, ARGV[n + 2])
    changed, kept = changed + fresh, kept + 1 - fresh
  end
end
each_thousand('ZADD', index, members, 0)
expire(id, head.created ~= '-', ttl)
return {'ok', changed, kept}
