-- Takes the oldest entries of the audit away, up to the first that stays; how many.
-- Keys: the notes of retention and the audit. Arguments: before when, how many at most.
local before, gone = tonumber(ARGV[1]), {}
for _, entry in ipairs(call('XRANGE', index, '-', '+', 'COUNT', ARGV[2])) do
  local at
  for n = 1, #entry[2], 2 do
    if entry[2][n] == 'at' then at = tonumber(entry[2][n + 1]) end
  end
  if not at or at >= before then break end
  gone[#gone + 1] = entry[1]
end
if #gone > 0 then call('XDEL', index, unpack(gone)) end
return {'ok', #gone}
