-- Finds a message: its member of the index and its value, or nothing.
-- Arguments: thread id, time to live, id of the message.
if is_torn(read_head()) then return torn end
refresh(ARGV[1], tonumber(ARGV[2]))
return {find_message(ARGV[3])}
