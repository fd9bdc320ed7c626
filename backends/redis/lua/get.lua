-- Reads a checkpoint: nil, or its id, content, values in the order of its versions, fields and
-- values of its writes, and the generation of the thread. A value that is too large to be copied
-- here is told by its length, and is read by the caller; such a value never changes.
-- Arguments: thread id, time to live, namespace, checkpoint id or nothing for the latest, `1` for
-- values, `1` for writes, how many bytes may be copied.
local id, ttl, ns, checkpoint = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local room = tonumber(ARGV[7])

local field = 'c' .. ns .. '\0' .. checkpoint
if checkpoint == '' then
  field = latest(ns)
  if not field then
    return is_torn(read_head()) and torn
  end
end
local content = call('HGET', thread, field)
local indexed = checkpoint == '' or call('ZSCORE', index, field)
if not content and not indexed then return false end
if not content or not indexed then return torn end

refresh(id, ttl)

local function take(name)
  local size = call('HSTRLEN', thread, name)
  if size == 0 then return false end
  if size > room then return size end
  room = room - size
  return call('HGET', thread, name)
end

local values, writes = {}, {}
if ARGV[5] == '1' then
  local versions = content:sub(5, 4 + struct.unpack('>I4', content))
  for version in versions:gmatch('([^%z]*%z[^%z]*)%z') do
    values[#values + 1] = take('b' .. ns .. '\0' .. version)
  end
end
if ARGV[6] == '1' then
  for _, name in ipairs(writes_at(field:sub(2))) do
    local special = name:find('%z%-%d+$')
    local value = special and call('HGET', thread, name) or take(name)
    if not value then return torn end
    writes[#writes + 1] = name
    writes[#writes + 1] = value
  end
end
return {field:sub(#ns + 3), content, values, writes, read_head().generation}
