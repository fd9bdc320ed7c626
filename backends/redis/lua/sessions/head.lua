-- Goes on after the head of all scripts, for those about messages and state. Arguments of all that
-- write begin with: thread id or nothing for a named scope, time to live, now, nonce.

-- A number as a text that sorts by its value: how many digits, as a letter, and the digits.
local function sortable(number)
  local digits = string.format('%.0f', number)
  return string.char(96 + #digits) .. digits
end

-- The member of the index, and the value, of the message with this id; nothing where there is none.
local function find_message(message)
  local place = call('HGET', thread, 'i' .. message)
  if not place then return nil end
  return 'e' .. place .. '\0' .. message, call('HGET', thread, 'e' .. place)
end

-- Deletes messages, given as members of the index.
local function drop(head, members)
  local fields = {}
  for _, member in ipairs(members) do
    local field, message = member:match('^(e[^%z]*%z[^%z]*)%z(.*)$')
    fields[#fields + 1] = field
    fields[#fields + 1] = 'i' .. message
  end
  each_thousand('HDEL', thread, fields)
  each_thousand('ZREM', index, members)
  head.items = math.max(head.items - #members, 0)
end

-- One message of a record.
local function row(member, value)
  return struct.pack('>I4', #member) .. member .. struct.pack('>I4', #value) .. value
end

-- Every mutation gives a new deadline, also one that changes nothing.
local function renew(head)
  if head.created ~= '-' then expire(ARGV[1], true, tonumber(ARGV[2])) end
end

-- The answer to an operation that was carried out before.
local function find_done(head, operation, fingerprint)
  local record = operation ~= '' and call('HGET', thread, 'o' .. operation)
  if not record then return nil end
  renew(head)
  return {record:sub(1, 16) == fingerprint and 'ok' or 'reused', record}
end

-- Keeps an operation until the thread has a thousand revisions more.
local function remember(operation, revision, record)
  local names, old = {}, {}
  if revision > 1000 then
    old = call('ZRANGEBYLEX', index, '[o', '(o' .. sortable(revision - 999))
  end
  for n, member in ipairs(old) do names[n] = 'o' .. member:match('%z(.*)$') end
  each_thousand('HDEL', thread, names)
  each_thousand('ZREM', index, old)
  call('HSET', thread, 'o' .. operation, record)
  call('ZADD', index, 0, 'o' .. sortable(revision) .. '\0' .. operation)
end

-- Ends a mutation with a record of what it did.
local function conclude(head, done)
  local id, now, nonce = ARGV[1], ARGV[3], ARGV[4]
  if done.changed > 0 then
    if id ~= '' then
      touch(head, id, now, nonce)
    elseif head.generation == '' then
      head.generation = nonce
    end
    head.revision = head.revision + 1
    write_head(head)
    if id == '' and head.items == 0 then call('UNLINK', thread) end
  end
  local record = string.format('%s %.0f %d %d ', done.fingerprint or ('0'):rep(16), head.revision,
      done.changed, done.kept or 0) .. (done.versions or '') .. ' ' .. (done.rows or '')
  if (done.operation or '') ~= '' and done.changed > 0 then
    remember(done.operation, head.revision, record)
  end
  renew(head)
  return {'ok', record}
end
