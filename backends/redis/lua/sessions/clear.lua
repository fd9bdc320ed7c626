-- Removes all messages of a stream, or of all.
-- More arguments: `+` and the stream, or `-`.
local head = read_head()
if is_torn(head) then return torn end
local from, to = '[e', '(f'
if ARGV[5] ~= '-' then
  local stream = 'e' .. ARGV[5]:sub(2)
  from, to = '[' .. stream .. '\0', '(' .. stream .. '\1'
end
local members = call('ZRANGEBYLEX', index, from, to)
drop(head, members)
return conclude(head, {changed = #members})
