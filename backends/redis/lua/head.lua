-- Begins every script. Keys: the hash and the index of one thread, and of its bucket the registry
-- of threads, their deadlines, what was ordered about them, and their tombstones.
-- docs/storage/redis.md has the layout.
local thread, index, registry, deadlines, orders, tombstones = unpack(KEYS)
local call = redis.call

-- The record about the thread as a whole; one without info when there is none.
local function read_head()
  local head = {created = '-', updated = '-', revision = 0, items = 0, changes = 0,
                generation = '', tombstone = ''}
  local text = call('HGET', thread, 'h')
  if not text then return head end
  local created, updated, revision, items, changes, generation, tombstone =
      text:match('^(%S+) (%S+) (%d+) (%d+) (%d+) (%S+) (.*)$')
  if not created then error('CORRUPT head of a thread') end
  head.created, head.updated, head.revision = created, updated, tonumber(revision)
  head.items, head.changes = tonumber(items), tonumber(changes)
  head.generation, head.tombstone = generation, tombstone
  return head
end

-- A key is missing: the server has evicted or lost it. Scripts that write look at it too, so that
-- what is left does not grow into something that looks whole.
local torn = redis.error_reply('TORN a part of ' .. thread .. ' is missing')
local function is_torn(head)
  if call('EXISTS', index) == 1 then return call('EXISTS', thread) == 0 end
  return head.items > 0
end

local function write_head(head)
  call('HSET', thread, 'h', string.format('%s %s %d %d %d %s %s', head.created, head.updated,
      head.revision, head.items, head.changes, head.generation, head.tombstone))
end

-- Threads that have expired leave no name, and no time of their own.
local function forget(ids)
  call('ZREM', registry, unpack(ids))
  call('ZREM', deadlines, unpack(ids))
  for _, id in ipairs(ids) do call('HDEL', orders, 'e' .. id) end
end

-- How many were forgotten.
local function clean(now, count)
  local gone = call('ZRANGEBYSCORE', deadlines, '-inf', string.format('%.0f', now), 'LIMIT', 0,
      count)
  if #gone > 0 then forget(gone) end
  return #gone
end

-- What a thread that has expired leaves does not belong to the next one of its id.
local function bury(id)
  if call('ZREM', deadlines, id) == 1 then forget({id}) end
end

-- The thread gets its info, or updated_at where that is a minute old.
local function touch(head, id, now, nonce)
  if head.generation == '' then head.generation = nonce end
  if head.created == '-' then
    head.created, head.updated = now, now
    bury(id)
    call('ZADD', registry, 0, id)
  elseif tonumber(now) - tonumber(head.updated) >= 60000000 then
    head.updated = now
  end
end

-- By bytes: Lua's own comparison follows the locale of the server.
local function less(a, b)
  for n = 1, math.min(#a, #b) do
    local x, y = a:byte(n), b:byte(n)
    if x ~= y then return x < y end
  end
  return #a < #b
end

-- Whether there is no thread, or there are only writes; not where the server has lost a part.
local function is_absent()
  return call('HEXISTS', thread, 'h') == 0 and call('EXISTS', thread) == call('EXISTS', index)
end

-- The deadline that was ordered for a thread, in milliseconds; never where a pin or a hold keeps it,
-- or nothing may go without an archive.
local function ordered(id)
  local marks, archive, time = unpack(call('HMGET', orders, 'm' .. id, 'a', 'e' .. id))
  if marks or archive then return math.huge end
  return time and math.floor(time / 1000)
end

local function stay(id)
  call('PERSIST', thread)
  call('PERSIST', index)
  call('ZREM', deadlines, id)
end

local function clock()
  local time = call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- One deadline for all keys of the thread. One that has passed comes a minute later, because values
-- may follow.
local function go_at(id, registered, deadline)
  local now = clock()
  local at = string.format('%.0f', deadline > now and deadline or now + 60000)
  call('PEXPIREAT', thread, at)
  call('PEXPIREAT', index, at)
  if not registered then return end
  call('ZADD', deadlines, at, id)
  -- Names of threads that are gone leave the registry with the writes of others.
  clean(now, 16)
end

-- A new deadline by the clock of the server, unless one was ordered. Without a time to live a
-- deadline that is there stays, and goes for a key that was made since.
local function expire(id, registered, ttl)
  local left = ttl
  if ttl == 0 then
    left = math.max(call('PTTL', thread), call('PTTL', index))
    if left < 0 then return end
  else
    local at = ordered(id)
    if at == math.huge then return stay(id) end
    if at then return go_at(id, registered, at) end
  end
  go_at(id, registered, clock() + left)
end

-- Remembers when something was deleted, by which a sweep finds old tombstones. One that has a
-- deadline goes by itself.
local function date_tombstone(id, now)
  if call('PTTL', thread) < 0 then call('ZADD', tombstones, now, id) end
end

-- Reading gives a new deadline when less than half of the time is left. A server that refuses
-- writes at the moment can still be read.
local function refresh(id, ttl)
  local left = ttl > 0 and call('PTTL', thread) or -1
  if left < 0 or left * 2 >= ttl then return end
  pcall(expire, id, read_head().created ~= '-', ttl)
end

-- Whether a thread is as a sweep has judged it, and no later sweep has begun. Arguments from
-- `first` on, where there are any: its head, how many writes it has, its time, its pins and holds,
-- the fence of the sweep.
local function is_as_judged(id, first)
  local head, writes, time, marks, fence = unpack(ARGV, first, first + 4)
  if not head then return true end
  if tonumber(call('HGET', orders, 'f') or 0) > tonumber(fence) then return false end
  return call('HGET', thread, 'h') == head and
      call('ZLEXCOUNT', index, '[w', '(x') == tonumber(writes) and
      (call('HGET', orders, 'e' .. id) or '') == time and
      (call('HGET', orders, 'm' .. id) or '') == marks
end

-- The namespaces that have checkpoints, by skipping through the index.
local function namespaces()
  local names, from = {}, '[c'
  while true do
    local member = call('ZRANGEBYLEX', index, from, '(d', 'LIMIT', 0, 1)[1]
    if not member then return names end
    local name = member:match('^c([^%z]*)%z')
    names[#names + 1] = name
    from = '[c' .. name .. '\1'
  end
end

local function latest(name)
  return call('ZREVRANGEBYLEX', index, '(c' .. name .. '\1', '[c' .. name .. '\0', 'LIMIT', 0, 1)[1]
end

-- Of the content of a checkpoint: versions, inline channels, delta channels, parent.
local function parse(content)
  local parts, offset = {}, 1
  for n = 1, 5 do
    local size = struct.unpack('>I4', content, offset)
    parts[n], offset = content:sub(offset + 4, offset + 3 + size), offset + 4 + size
  end
  return parts[1], parts[2], parts[3], parts[5]
end

-- The texts of such a part, each ended by NUL.
local function set_of(part)
  local set = {}
  for text in part:gmatch('([^%z]*)%z') do set[text] = true end
  return set
end

-- A blob may also say that there is no value.
local function has_value(blob)
  return blob and blob:sub(2, 7) ~= 'empty\0'
end

-- The pending writes of a checkpoint, given as namespace, NUL and id.
local function writes_at(place)
  return call('ZRANGEBYLEX', index, '[w' .. place .. '\0', '(w' .. place .. '\1')
end

-- Calls what decides about values that follow outside as HSETNX. Unless it ends with 'ok' they find
-- their fields taken, and finish.lua gives those back. So it is after an error too, which does not
-- keep the rest of a transaction from being carried out.
local function decide(body, fields)
  -- EXEC has looked at the memory for all of it. Redis 6.2 would refuse the first write of a script
  -- that needs memory when another client's script was the last to find none; this one needs none.
  if #fields > 0 then redis.pcall('HDEL', thread, '') end
  local done, reply = pcall(body)
  if done and reply[1] == 'ok' then return reply end
  for _, field in ipairs(fields) do redis.pcall('HSETNX', thread, field, '') end
  if not done then error(reply, 0) end
  return reply
end

-- Calls a command with any number of arguments, in pieces that fit on the stack; the sum of the
-- replies.
local function each_thousand(command, key, arguments, before)
  local sum, piece = 0, {}
  local function send()
    if #piece > 0 then sum = sum + call(command, key, unpack(piece)) end
    piece = {}
  end
  for _, argument in ipairs(arguments) do
    if before then piece[#piece + 1] = before end
    piece[#piece + 1] = argument
    if #piece >= 1000 then send() end
  end
  send()
  return sum
end
