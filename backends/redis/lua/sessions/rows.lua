-- Reads messages or documents in the order of the index: the generation of the thread, 1 where there
-- are more, then members and values.
-- Arguments: thread id, time to live, lower and upper bound, `1` to go backwards, how many and how
-- many bytes at most, `1` to leave out what messages say.
local id, ttl, lower, upper, backward = unpack(ARGV, 1, 5)
local count, room, without_content = tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8] == '1'
local head = read_head()
if is_torn(head) then return torn end
refresh(id, tonumber(ttl))

-- The beginning of a message, up to its content.
local function cut(value)
  local at = #value:match('^0%d+ %d+ ') + 1
  for _ = 1, 2 do at = at + 4 + struct.unpack('>I4', value, at) end
  return value:sub(1, at - 1)
end

local command, from, to = 'ZRANGEBYLEX', lower, upper
if backward == '1' then command, from, to = 'ZREVRANGEBYLEX', upper, lower end
local members = call(command, index, from, to, 'LIMIT', 0, count + 1)
local rows, more = {}, 0
for n, member in ipairs(members) do
  if n > count or room <= 0 then
    more = 1
    break
  end
  local value = call('HGET', thread, member:match('^(e[^%z]*%z[^%z]*)%z') or member)
  if not value then return torn end
  if without_content then value = cut(value) end
  rows[#rows + 1] = member
  rows[#rows + 1] = value
  room = room - #value
end
return {head.generation, more, rows}
