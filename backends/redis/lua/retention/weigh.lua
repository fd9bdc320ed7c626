-- Of blobs and writes, for each: its bytes; `1` for a blob that has a value, or the channel of a write;
-- the digest of a special write, which a later one may replace, else nothing. A blob without a value
-- is short: no others are copied here.
-- Arguments: their fields.
local found = {}
for n, field in ipairs(ARGV) do
  local bytes = call('HSTRLEN', thread, field)
  local about, special = '1', ''
  if field:sub(1, 1) == 'w' then
    local value = call('HGET', thread, field) or ''
    about = value:match('^0([^%z]*)') or ''
    if field:find('%z%-%d+$') then special = redis.sha1hex(value) end
  elseif bytes < 256 and not has_value(call('HGET', thread, field)) then
    about = ''
  end
  found[3 * n - 2], found[3 * n - 1], found[3 * n] = bytes, about, special
end
return found
