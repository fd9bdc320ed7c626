-- Walks the ancestors of a checkpoint until every channel has a value: the generation of the
-- thread, the ancestor to go on from or nothing, then of each ancestor its id, its content where a
-- channel has its value inline there, channels with their versions and values, and fields and values
-- of writes.
-- Arguments: namespace, checkpoint id or nothing for the latest, `1` to begin with its parent,
-- how many ancestors and how many bytes at most, channels.
local ns, at, from_parent = ARGV[1], ARGV[2], ARGV[3] == '1'
local steps, room = tonumber(ARGV[4]), tonumber(ARGV[5])
local start = 'c' .. ns .. '\0'
local open, left = {}, 0
for n = 6, #ARGV do
  if not open[ARGV[n]] then left = left + 1 end
  open[ARGV[n]] = true
end
if at == '' then
  local newest = latest(ns)
  if not newest and read_head().checkpoints > 0 and call('EXISTS', index) == 0 then
    return redis.error_reply('TORN a part of the thread is missing')
  end
  at = newest and newest:sub(#start + 1) or ''
end

local function part(content, offset)
  local size = struct.unpack('>I4', content, offset)
  return content:sub(offset + 4, offset + 3 + size), offset + 4 + size
end

local function parse(content)
  local versions, inlined, parent, offset, _
  versions, offset = part(content, 1)
  inlined, offset = part(content, offset)
  _, offset = part(content, offset)
  _, offset = part(content, offset)
  parent = part(content, offset)
  return versions, inlined, parent
end

local function writes_of(id)
  local found, prefix = {}, 'w' .. ns .. '\0' .. id
  for _, name in ipairs(call('ZRANGEBYLEX', index, '[' .. prefix .. '\0', '(' .. prefix .. '\1')) do
    local value = call('HGET', thread, name)
    if not value then error('TORN a part of the thread is missing') end
    if open[value:match('^.([^%z]*)%z')] then
      local count = #found
      found[count + 1], found[count + 2] = name, value
      room = room - #value
    end
  end
  return found
end

local result, seen = {read_head().generation, ''}, {}
while at ~= '' and left > 0 and not seen[at] do
  if steps == 0 or room <= 0 then
    result[2] = at
    break
  end
  local content = call('HGET', thread, start .. at)
  if not content then break end
  seen[at] = true
  local versions, inlined, parent = parse(content)
  if not from_parent then
    steps = steps - 1
    local entry = {at, '', {}, writes_of(at)}
    for channel, version in versions:gmatch('([^%z]*)%z([^%z]*)%z') do
      local value = open[channel] and call('HGET', thread, 'b' .. ns .. '\0' .. channel .. '\0' .. version)
      if value and value:sub(2, 7) ~= 'empty\0' then
        local count = #entry[3]
        entry[3][count + 1], entry[3][count + 2], entry[3][count + 3] = channel, version, value
        room = room - #value
        open[channel], left = nil, left - 1
      end
    end
    for channel in inlined:gmatch('([^%z]*)%z') do
      if open[channel] then
        entry[2] = content
        open[channel], left = nil, left - 1
      end
    end
    result[#result + 1] = entry
  end
  from_parent = false
  at = parent
end
return result
