-- Replaces the record of a run that is running.
-- Keys: the notes of retention. Arguments: the number of the run, the record.
local stored = call('HGET', thread, 'r' .. ARGV[1]) or ''
if stored:sub(1, 8) ~= 'running ' then return {'late'} end
call('HSET', thread, 'r' .. ARGV[1], ARGV[2])
return {'ok'}
