-- Deletes everything of a thread but its tombstone. A sweep takes its time away too.
-- Arguments: thread id, time to live, nonce, now; of a sweep what it has judged.
local id, ttl, nonce, now = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
if not is_as_judged(id, 5) then return {'changed'} end
local head = read_head()
local deleted = 0
for _, kind in ipairs({'[c', '[e', '[s'}) do
  deleted = deleted + call('ZLEXCOUNT', index, kind, '(' .. string.char(kind:byte(2) + 1))
end
local tombstone, names = head.tombstone, namespaces()
for _, name in ipairs(names) do
  local greatest = latest(name):sub(#name + 3)
  if less(tombstone, greatest) then tombstone = greatest end
end
if ttl == 0 then ttl = math.max(call('PTTL', thread), 0) end
call('UNLINK', thread, index)
call('ZREM', registry, id)
call('ZREM', deadlines, id)
if ARGV[5] then call('HDEL', orders, 'e' .. id) end
if tombstone ~= '' then
  write_head({created = '-', updated = '-', revision = 0, items = 0,
              changes = head.changes + 1, generation = nonce, tombstone = tombstone})
  expire(id, false, ttl)
  if #names > 0 then date_tombstone(id, now) end
end
return {'ok', deleted, 0}
