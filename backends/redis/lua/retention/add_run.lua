-- Stores a run after the newest one, and raises the fence.
-- Keys: the notes of retention. Arguments: the number that the newest run should have, the record.
local newest = tonumber(call('HGET', thread, 'run') or 0)
if newest ~= tonumber(ARGV[1]) then return {'late'} end
call('HSET', thread, 'run', newest + 1, 'r' .. newest + 1, ARGV[2])
return {'ok', newest + 1, call('HINCRBY', thread, 'fence', 1)}
