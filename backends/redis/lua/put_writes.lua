-- Stores pending writes unless their checkpoint was deleted.
-- Arguments: thread id, time to live, namespace, checkpoint id, `1` when the values follow as
-- HSETNX, the time; then for each write: task and idx, `1` for a special channel, value.
local id, ttl, ns, checkpoint = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local external, now = ARGV[5] == '1', ARGV[6]
local place = ns .. '\0' .. checkpoint
local fields = {}
for n = 7, #ARGV, 3 do fields[#fields + 1] = 'w' .. place .. '\0' .. ARGV[n] end

-- Whether it is new there, and whether it replaces what is there, as what is special does.
local function store(field, special, value)
  if external then return 0, special and call('HDEL', thread, field) == 1 end
  if not special then return call('HSETNX', thread, field, value), false end
  return 1, call('HSET', thread, field, value) == 0
end

-- The thread was active. A replaced write leaves the number of writes as it is, so it is a change.
local function note(head, replaced)
  if head.created == '-' and head.tombstone == '' then return end
  local stale = head.created ~= '-' and tonumber(now) - tonumber(head.updated) >= 60000000
  if stale then head.updated = now end
  if replaced then head.changes = head.changes + 1 end
  if stale or replaced then write_head(head) end
end

local function put_writes()
  local head = read_head()
  if is_torn(head) then return torn end
  if head.tombstone ~= '' and not less(head.tombstone, checkpoint) and
      call('HEXISTS', thread, 'c' .. place) == 0 then
    return {'dropped'}
  end
  local changed, replaced = 0, false
  for n, field in ipairs(fields) do
    local new, replaces = store(field, ARGV[3 * n + 5] == '1', ARGV[3 * n + 6])
    changed, replaced = changed + new, replaced or replaces
  end
  each_thousand('ZADD', index, fields, 0)
  note(head, replaced)
  expire(id, head.created ~= '-', ttl)
  return {'ok', changed, #fields - changed}
end

return decide(put_writes, external and fields or {})
