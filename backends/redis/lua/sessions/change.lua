-- Appends or replaces messages and changes documents, if what is stored is still what the caller
-- has assumed; else tells what it is.
-- More arguments: stream, operation and its fingerprint, the revision that is demanded or nothing,
-- `1` to tell what is stored in any case, number of messages; then of each message: id, digest of
-- what is assumed to be stored or nothing, new value or nothing, value for the record; then of each
-- document: key, digest or nothing, version, new value or nothing. Version 0 deletes. Instead of a
-- digest, `?` and the version that is demanded or nothing: whatever is stored, if it has that version
-- and another value; it gets the next version.
local stream, operation, fingerprint, demanded, look = unpack(ARGV, 5, 9)
local documents = 11 + 4 * tonumber(ARGV[10])
local head = read_head()
if is_torn(head) then return torn end
local done = find_done(head, operation, fingerprint)
if done then return done end

local function is_as_assumed(value, digest)
  if digest == '' then return not value end
  return value and redis.sha1hex(value) == digest
end

local function is_as_demanded(stored, demand, version, value)
  local demanded = demand:sub(2)
  if not stored then return version == '0' or demanded == '' or demanded == '0' end
  local found, fingerprint_of_value = stored:match('^(%d+) (%x+) ')
  if demanded ~= '' and demanded ~= found then return false end
  return version == '0' or fingerprint_of_value ~= value:sub(1, 16)
end

local function may_change(key, digest, version, value)
  local stored = call('HGET', thread, 's' .. key)
  if digest:sub(1, 1) ~= '?' then return is_as_assumed(stored, digest) end
  return is_as_demanded(stored, digest, version, value)
end

local function stands()
  for n = 11, documents - 1, 4 do
    local _, value = find_message(ARGV[n])
    if not is_as_assumed(value, ARGV[n + 1]) then return false end
  end
  for n = documents, #ARGV, 4 do
    if not may_change(unpack(ARGV, n, n + 3)) then return false end
  end
  return look ~= '1'
end

local function tell()
  local messages, found = {}, {}
  for n = 11, documents - 1, 4 do
    local member, value = find_message(ARGV[n])
    messages[#messages + 1] = member and {member, value, redis.sha1hex(value)} or false
  end
  for n = documents, #ARGV, 4 do
    local value = call('HGET', thread, 's' .. ARGV[n])
    found[#found + 1] = value and {value, redis.sha1hex(value)} or false
  end
  renew(head)
  return {'compare', head.revision, messages, found}
end

local changed, kept, rows, versions = 0, 0, {}, {}

local function count(is_change)
  if is_change then changed = changed + 1 else kept = kept + 1 end
end

local last = nil  -- seq of the stream

local function append(message, value)
  last = (last or tonumber(call('HGET', thread, 'l' .. stream) or 0)) + 1
  if last == 1 then call('ZADD', index, 0, 'l' .. stream) end
  local place = stream .. '\0' .. sortable(last)
  call('ZADD', index, 0, 'e' .. place .. '\0' .. message)
  call('HSET', thread, 'e' .. place, value, 'i' .. message, place)
  head.items = head.items + 1
  return 'e' .. place .. '\0' .. message
end

-- One that comes twice finds itself the second time.
local function change_message(message, digest, value, key)
  local member = find_message(message)
  if not member and value == '' then return end
  local is_new = not member
  local is_change = value ~= '' and (is_new or digest ~= '')
  if is_new then
    member = append(message, value)
  elseif is_change then
    call('HSET', thread, member:match('^(e[^%z]*%z[^%z]*)'), value)
  end
  count(is_change)
  rows[#rows + 1] = row(member, key)
end

local function change_document(key, version, value)
  local stored = call('HGET', thread, 's' .. key)
  if version == '' then
    version = string.format('%.0f', (stored and tonumber(stored:match('^%d+')) or 0) + 1)
  end
  local is_deletion = version == '0' and stored
  if value ~= '' then
    head.items = head.items + call('ZADD', index, 0, 's' .. key)
    call('HSET', thread, 's' .. key, version .. ' ' .. value)
  elseif is_deletion then
    call('HDEL', thread, 's' .. key)
    head.items = head.items - call('ZREM', index, 's' .. key)
  end
  count(value ~= '' or is_deletion)
  versions[#versions + 1] = version
end

if not stands() then return tell() end
if demanded ~= '' and demanded ~= string.format('%.0f', head.revision) then
  return {'revision', head.revision}
end
for n = 11, documents - 1, 4 do change_message(unpack(ARGV, n, n + 3)) end
if last then call('HSET', thread, 'l' .. stream, string.format('%.0f', last)) end
for n = documents, #ARGV, 4 do change_document(ARGV[n], ARGV[n + 2], ARGV[n + 3]) end
return conclude(head, {changed = changed, kept = kept, versions = table.concat(versions, ','),
    rows = table.concat(rows), operation = operation, fingerprint = fingerprint})
