-- Walks the ancestors of a checkpoint until every channel has a value: the generation of the
-- thread, the ancestor to go on from or nothing, then of each ancestor its id, its content where a
-- channel has its value inline there, channels with their versions and values, and fields and
-- values of writes.
-- Arguments: thread id, time to live, namespace, checkpoint id or nothing for the latest, `1` to
-- begin with its parent, how many ancestors and how many bytes at most, channels.
local id, ttl, ns, at, from_parent = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5] == '1'
local steps, room = tonumber(ARGV[6]), tonumber(ARGV[7])
local start = 'c' .. ns .. '\0'
local open, left = {}, 0
for n = 8, #ARGV do
  if not open[ARGV[n]] then left = left + 1 end
  open[ARGV[n]] = true
end
local head = read_head()
if is_torn(head) then return torn end
refresh(id, ttl)
if at == '' then
  local newest = latest(ns)
  at = newest and newest:sub(#start + 1) or ''
end

local function writes_of(checkpoint)
  local found = {}
  for _, name in ipairs(writes_at(ns .. '\0' .. checkpoint)) do
    local value = call('HGET', thread, name)
    if open[value:match('^.([^%z]*)%z')] then
      local count = #found
      found[count + 1], found[count + 2] = name, value
      room = room - #value
    end
  end
  return found
end

local result, seen = {head.generation, ''}, {}
while at ~= '' and left > 0 and not seen[at] do
  if steps == 0 or room <= 0 then
    result[2] = at
    break
  end
  local content = call('HGET', thread, start .. at)
  if not content then break end
  seen[at] = true
  local versions, inlined, _, parent = parse(content)
  if not from_parent then
    steps = steps - 1
    local entry = {at, '', {}, writes_of(at)}
    for channel, version in versions:gmatch('([^%z]*)%z([^%z]*)%z') do
      local field = 'b' .. ns .. '\0' .. channel .. '\0' .. version
      local value = open[channel] and call('HGET', thread, field)
      if has_value(value) then
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
