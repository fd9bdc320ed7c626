-- As if something had been stored in a thread now, if it is there.
-- Arguments: thread id, time to live, now.
local id, ttl, now = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local head = read_head()
if head.created == '-' or is_torn(head) then return {'absent'} end
head.updated = now
write_head(head)
expire(id, true, ttl)
return {'ok'}
