-- Stores pending writes unless their checkpoint was deleted.
-- Arguments: thread id, time to live, namespace, checkpoint id, `1` when the values follow as
-- HSETNX; then for each write: task and idx, `1` for a special channel, value.
local id, ttl, ns, checkpoint = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local external = ARGV[5] == '1'
local place = ns .. '\0' .. checkpoint
local fields = {}
for n = 6, #ARGV, 3 do fields[#fields + 1] = 'w' .. place .. '\0' .. ARGV[n] end

-- Whether it is new there. What is special replaces what is there.
local function store(field, special, value)
  if external then
    if special then call('HDEL', thread, field) end
    return 0
  end
  if not special then return call('HSETNX', thread, field, value) end
  call('HSET', thread, field, value)
  return 1
end

local function put_writes()
  local head = read_head()
  if is_torn(head) then return torn end
  if head.tombstone ~= '' and not less(head.tombstone, checkpoint) and
      call('HEXISTS', thread, 'c' .. place) == 0 then
    return {'dropped'}
  end
  local changed = 0
  for n, field in ipairs(fields) do
    changed = changed + store(field, ARGV[3 * n + 4] == '1', ARGV[3 * n + 5])
  end
  each_thousand('ZADD', index, fields, 0)
  expire(id, head.created ~= '-', ttl)
  return {'ok', changed, #fields - changed}
end

return decide(put_writes, external and fields or {})
