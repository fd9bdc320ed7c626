-- Adds an entry to the audit under the next number.
-- Keys: the notes of retention and the audit. Arguments: names and values.
local last = call('XREVRANGE', index, '+', '-', 'COUNT', 1)[1]
local number = last and tonumber(last[1]:match('^%d+')) + 1 or 1
call('XADD', index, string.format('%d-0', number), unpack(ARGV))
return {'ok', number}
