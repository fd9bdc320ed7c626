-- Stores policies, if they are still those that the caller has seen, and raises the fence.
-- Keys: the notes of retention. Arguments: the policies that were seen, the new ones.
if (call('HGET', thread, 'policies') or '[]') ~= ARGV[1] then return {'changed'} end
call('HSET', thread, 'policies', ARGV[2])
return {'ok', call('HINCRBY', thread, 'fence', 1)}
