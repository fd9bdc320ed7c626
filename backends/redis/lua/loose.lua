-- Finds pending writes whose checkpoint is not stored: the place to go on after or nothing, then for
-- each such place the fields of its writes. Looks at a thousand places at most.
-- Arguments: place to go on after or nothing, how many at most.
local place, count = ARGV[1], tonumber(ARGV[2])
if is_torn(read_head()) then return torn end
local found = {''}
for _ = 1, 1000 do
  local from = place == '' and '[w' or '(w' .. place .. '\1'
  local member = call('ZRANGEBYLEX', index, from, '(x', 'LIMIT', 0, 1)[1]
  if not member then return found end
  place = member:match('^w([^%z]*%z[^%z]*)%z')
  if not call('ZSCORE', index, 'c' .. place) then found[#found + 1] = writes_at(place) end
  if #found > count then break end
end
found[1] = place
return found
