-- Which fields of blobs have a value: 1 or 0 for each.
local valued = {}
for n, field in ipairs(ARGV) do
  valued[n] = has_value(call('HGET', thread, field)) and 1 or 0
end
return valued
