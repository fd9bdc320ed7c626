-- How many messages or documents there are.
-- Arguments: thread id, time to live, lower and upper bound.
if is_torn(read_head()) then return torn end
refresh(ARGV[1], tonumber(ARGV[2]))
return call('ZLEXCOUNT', index, ARGV[3], ARGV[4])
