-- The greatest checkpoint ids of a thread, for each namespace: name, then ids in descending order.
-- Arguments: `+` and the namespace or `-` for all, `+` and the only checkpoint id or `-`, upper
-- bound with `(` or `[` before it or nothing, how many of a namespace.
local selected, only, upper, count = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local found = {}
if is_torn(read_head()) then return torn end
for _, name in ipairs(selected ~= '-' and {selected:sub(2)} or namespaces()) do
  local ids = {name}
  local start = 'c' .. name .. '\0'
  if only ~= '-' then
    if call('ZSCORE', index, start .. only:sub(2)) then ids[2] = only:sub(2) end
  else
    local to = upper == '' and '(c' .. name .. '\1' or upper:sub(1, 1) .. start .. upper:sub(2)
    for _, member in ipairs(call('ZREVRANGEBYLEX', index, to, '[' .. start, 'LIMIT', 0, count)) do
      ids[#ids + 1] = member:sub(#start + 1)
    end
  end
  found[#found + 1] = ids
end
return found
