-- Of blobs and writes, for each: its bytes, and `1` for a blob that has a value or the channel of a
-- write. A blob without a value is short: no others are copied here.
-- Arguments: their fields.
local found = {}
for n, field in ipairs(ARGV) do
  local bytes = call('HSTRLEN', thread, field)
  local about = '1'
  if field:sub(1, 1) == 'w' then
    about = (call('HGET', thread, field) or ''):match('^0([^%z]*)') or ''
  elseif bytes < 256 and not has_value(call('HGET', thread, field)) then
    about = ''
  end
  found[2 * n - 1], found[2 * n] = bytes, about
end
return found
