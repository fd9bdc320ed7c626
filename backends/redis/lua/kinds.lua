-- What is stored in fields of blobs: 0 nothing, 1 that there is no value, 2 a value.
local kinds = {}
for n, field in ipairs(ARGV) do
  local value = call('HGET', thread, field)
  kinds[n] = not value and 0 or value:sub(2, 7) == 'empty\0' and 1 or 2
end
return kinds
