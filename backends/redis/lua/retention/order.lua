-- Changes what was ordered about a thread, if it is still what the caller has seen.
-- Arguments: thread id, `e` for its time or `m` for pins and holds, what is there or nothing, what
-- is to be there or nothing.
local id, field, seen, wanted = ARGV[1], ARGV[2] .. ARGV[1], ARGV[3], ARGV[4]
if is_absent() then bury(id) end
if (call('HGET', orders, field) or '') ~= seen then return {'changed'} end
if wanted == seen then return {'ok'} end
if wanted == '' then
  call('HDEL', orders, field)
else
  call('HSET', orders, field, wanted)
end
-- Where threads do not expire by themselves, a sweep takes this one at its time.
local at = ordered(id)
if not at or at == math.huge then
  stay(id)
elseif call('PTTL', thread) >= 0 then
  go_at(id, read_head().created ~= '-', at)
end
return {'ok'}
