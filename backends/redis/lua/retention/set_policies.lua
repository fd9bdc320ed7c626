-- Stores policies, and raises the fence.
-- Keys: the notes of retention. Arguments: the policies.
call('HSET', thread, 'policies', ARGV[1])
return {'ok', call('HINCRBY', thread, 'fence', 1)}
