-- Prepares the target of a copy; the values follow as HSETNX.
-- Arguments: thread id, time to live, now, nonce, `1` when the source has info, its metadata or
-- nothing; then five lists, each after its length: fields of checkpoints, members of messages,
-- fields of documents, other members of the index, and streams with their last seq; then the fields
-- of the blobs.
local id, ttl, now, nonce, has_info, metadata = unpack(ARGV, 1, 6)
local at = 7
local function take(count)
  local list = {}
  for n = 1, count do list[n] = ARGV[at + n - 1] end
  at = at + count
  return list
end
local function take_list() return take(tonumber(take(1)[1])) end
local checkpoints, messages, documents = take_list(), take_list(), take_list()
local rest, streams, blobs = take_list(), take_list(), take(#ARGV - at + 1)

local outside = {}
for _, fields in ipairs({checkpoints, documents, rest, blobs}) do
  for _, field in ipairs(fields) do
    if field:sub(1, 1) ~= 'r' then outside[#outside + 1] = field end
  end
end
for _, member in ipairs(messages) do
  local field, message = member:match('^(e[^%z]*%z[^%z]*)%z(.*)$')
  outside[#outside + 1] = field
  outside[#outside + 1] = 'i' .. message
end

-- How many members the target holds, and whether the source lacks one of them.
local function compare(from, to, members)
  local known, there, others = {}, call('ZRANGEBYLEX', index, from, to), false
  for _, member in ipairs(members) do known[member] = true end
  for _, member in ipairs(there) do others = others or not known[member] end
  return #there, others
end

-- What the target had once counts too: its seqs are not to come again.
local function has_other_messages()
  if call('ZLEXCOUNT', index, '[l', '(m') == 0 then return false end
  local count, others = compare('[e', '(f', messages)
  return others or count < #messages
end

local function copy_streams()
  for n = 1, #streams, 2 do
    local field, last = 'l' .. streams[n], streams[n + 1]
    call('ZADD', index, 0, field)
    if tonumber(call('HGET', thread, field) or 0) < tonumber(last) then
      call('HSET', thread, field, last)
    end
  end
end

local function copy()
  local head = read_head()
  if is_torn(head) then return torn end
  local _, others = compare('[c', '(d', checkpoints)
  if others then return {'others'} end
  if has_other_messages() then return {'messages'} end
  local counted = each_thousand('ZADD', index, messages, 0) +
      each_thousand('ZADD', index, documents, 0)
  local changed = each_thousand('ZADD', index, checkpoints, 0) + counted
  each_thousand('ZADD', index, rest, 0)
  copy_streams()
  head.items = head.items + changed
  if has_info == '1' and head.created == '-' then
    touch(head, id, now, nonce)
    if metadata ~= '' then call('HSET', thread, 'm', metadata) end
  elseif changed > 0 then
    touch(head, id, now, nonce)
  end
  head.changes = head.changes + 1
  if counted > 0 then head.revision = head.revision + 1 end
  if head.created ~= '-' or head.tombstone ~= '' then write_head(head) end
  expire(id, head.created ~= '-', tonumber(ttl))
  return {'ok', changed, #checkpoints + #messages + #documents - changed}
end

return decide(copy, outside)
