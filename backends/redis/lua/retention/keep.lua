-- Takes the deadline of a thread away.
-- Arguments: thread id.
if is_absent() then bury(ARGV[1]) end
stay(ARGV[1])
return {'ok'}
