-- Notes what was known about a thread elsewhere: its times where it is there, its tombstone, and a
-- deadline where it has no other that is later and none was ordered.
-- Arguments: thread id, time to live, nonce, created, updated, tombstone, deadline in milliseconds;
-- of the last four, nothing for what stays.
local id, ttl, nonce, created, updated, tombstone, deadline = unpack(ARGV)
local head = read_head()
if is_torn(head) then return torn end
local known, had_head = head.created ~= '-', call('HEXISTS', thread, 'h') == 1
if known and created ~= '' then head.created = created end
if known and updated ~= '' then head.updated = updated end
local raised = less(head.tombstone, tombstone)
if raised then head.tombstone = tombstone end
if known or head.tombstone ~= '' then
  if head.generation == '' then head.generation = nonce end
  write_head(head)
  if not had_head and call('PTTL', thread) < 0 then expire(id, false, tonumber(ttl)) end
  if raised then date_tombstone(id, clock() * 1000) end
end
if known and deadline ~= '' and not ordered(id) and
    call('PTTL', thread) + clock() < tonumber(deadline) then
  go_at(id, true, tonumber(deadline))
end
return {'ok'}
