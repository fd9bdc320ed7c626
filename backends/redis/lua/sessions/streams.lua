-- The names of the streams that have messages, by skipping through the index.
-- Arguments: thread id, time to live.
if is_torn(read_head()) then return torn end
refresh(ARGV[1], tonumber(ARGV[2]))
local names, from = {}, '[e'
while true do
  local member = call('ZRANGEBYLEX', index, from, '(f', 'LIMIT', 0, 1)[1]
  if not member then return names end
  local name = member:match('^e([^%z]*)%z')
  names[#names + 1] = name
  from = '[e' .. name .. '\1'
end
