-- Deletes all but the latest checkpoint of each namespace and the ancestors that its delta channels
-- are rebuilt from. Writes and blobs that belong to none of these go too, but for writes that may
-- be ahead of their checkpoint.
-- Arguments: thread id, time to live, nonce, now.
local id, ttl, nonce, now = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local head = read_head()
if is_torn(head) then return torn end
local pruned = {}   -- namespaces
local staying = {}  -- fields of checkpoints, and of the blobs that they refer to

-- Which blobs a checkpoint refers to; channels that have a value there are open no longer.
local function keep(ns, content, open)
  local versions, inlined, deltas, parent = parse(content)
  open = open or set_of(deltas)
  for channel, version in versions:gmatch('([^%z]*)%z([^%z]*)%z') do
    local field = 'b' .. ns .. '\0' .. channel .. '\0' .. version
    staying[field] = true
    if open[channel] and has_value(call('HGET', thread, field)) then open[channel] = nil end
  end
  for channel in inlined:gmatch('([^%z]*)%z') do open[channel] = nil end
  return open, parent
end

local function keep_latest(ns)
  local field, open, parent = latest(ns)
  local id_of_latest = field:sub(#ns + 3)
  repeat
    local content = call('HGET', thread, field)
    if not content then break end
    staying[field] = true
    open, parent = keep(ns, content, open)
    field = 'c' .. ns .. '\0' .. parent
  until not next(open) or parent == '' or staying[field]
  return id_of_latest
end

local checkpoints, writes, blobs, greatest = {}, {}, {}, head.tombstone
for _, ns in ipairs(namespaces()) do
  local start = ns .. '\0'
  local newest, last = keep_latest(ns), nil
  pruned[ns] = true
  for _, field in ipairs(call('ZRANGEBYLEX', index, '[c' .. start, '(c' .. start .. newest)) do
    if not staying[field] then
      checkpoints[#checkpoints + 1] = field
      last = field:sub(#start + 2)
    end
  end
  if last and less(greatest, last) then greatest = last end
  local up_to = '(w' .. start .. newest .. '\0'
  for _, field in ipairs(call('ZRANGEBYLEX', index, '[w' .. start, up_to)) do
    local place = field:match('^w([^%z]*%z[^%z]*)')
    if not staying['c' .. place] then writes[#writes + 1] = field end
  end
end
for _, field in ipairs(call('HKEYS', thread)) do
  local ns = field:match('^b([^%z]*)')
  if ns and pruned[ns] and not staying[field] then blobs[#blobs + 1] = field end
end
if #checkpoints + #writes + #blobs == 0 then return {'ok', 0, 0} end

for _, fields in ipairs({checkpoints, writes, blobs}) do each_thousand('HDEL', thread, fields) end
for _, members in ipairs({checkpoints, writes}) do each_thousand('ZREM', index, members) end
head.items = math.max(head.items - #checkpoints, 0)
head.tombstone, head.changes, head.generation = greatest, head.changes + 1, nonce
write_head(head)
expire(id, true, ttl)
if #checkpoints > 0 then date_tombstone(id, now) end
return {'ok', #checkpoints, 0}
