-- Removes messages by their ids.
-- More arguments: the ids.
local head = read_head()
if is_torn(head) then return torn end
local members, known = {}, {}
for n = 5, #ARGV do
  local member = find_message(ARGV[n])
  if member and not known[member] then
    members[#members + 1] = member
    known[member] = true
  end
end
drop(head, members)
return conclude(head, {changed = #members})
