-- Adds an entry to the audit under the next number, also where entries were trimmed.
-- Keys: the notes of retention and the audit. Arguments: names and values.
local number = 1
if call('EXISTS', index) == 1 then
  local about = call('XINFO', 'STREAM', index)
  for n = 1, #about, 2 do
    if about[n] == 'last-generated-id' then number = tonumber(about[n + 1]:match('^%d+')) + 1 end
  end
end
call('XADD', index, string.format('%d-0', number), unpack(ARGV))
return {'ok', number}
