-- Takes the newest messages of a stream.
-- More arguments: stream, operation and its fingerprint, how many, and how many bytes at most.
local stream, operation, fingerprint, count, room = unpack(ARGV, 5, 9)
local head = read_head()
if is_torn(head) then return torn end
local done = find_done(head, operation, fingerprint)
if done then return done end

-- As a message weighs: its texts.
local function weight(member, value)
  return #member:match('%z([^%z]*)$') + #value - #value:match('^0%d+ %d+ ') - 8
end

local from, to = '[e' .. stream .. '\0', '(e' .. stream .. '\1'
local members, rows, left = {}, {}, tonumber(room)
for _, member in ipairs(call('ZREVRANGEBYLEX', index, to, from, 'LIMIT', 0, count)) do
  local value = call('HGET', thread, member:match('^(e[^%z]*%z[^%z]*)'))
  if not value then return torn end
  left = left - weight(member, value)
  if left < 0 and #members > 0 then break end
  members[#members + 1] = member
  table.insert(rows, 1, row(member, value))
end
drop(head, members)
return conclude(head, {changed = #members, rows = table.concat(rows), operation = operation,
    fingerprint = fingerprint})
