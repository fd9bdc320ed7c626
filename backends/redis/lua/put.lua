-- Stores a checkpoint and its blobs if it may be stored.
-- Arguments: thread id, time to live, now, nonce, namespace, checkpoint id, parent, `1` when the
-- parent has to be the latest, run, `1` when the values follow as HSETNX, what the stored content
-- is expected to be and `1` if that counts as equal, content; then blobs: field and value each.
local id, ttl, now, nonce, ns, checkpoint, parent = unpack(ARGV, 1, 7)
local required, run, external = ARGV[8] == '1', ARGV[9], ARGV[10] == '1'
local expected, counts_as_equal, content = ARGV[11], ARGV[12] == '1', ARGV[13]
local field = 'c' .. ns .. '\0' .. checkpoint
local above = parent ~= '' and 'c' .. ns .. '\0' .. parent or nil
local fields = {field}
for n = 14, #ARGV, 2 do fields[#fields + 1] = ARGV[n] end

-- Nothing when it may be stored, `equal` when it is already, or why it is refused.
local function judge(head, stored)
  if is_torn(head) then return torn end
  if required and stored then
    local there = call('HGET', thread, field)
    if there ~= expected then return {'compare', there} end
    if counts_as_equal then return {'equal'} end
  end
  local deleted = above and not stored and head.tombstone ~= ''
  if deleted and call('HEXISTS', thread, above) == 0 then return {'deleted'} end
  if required and latest(ns) ~= above then return {'moved'} end
end

-- How many were new, and how many stay as they are.
local function store_blobs()
  if external then return 0, 0 end
  local fresh = 0
  for n = 2, #fields do
    fresh = fresh + call('HSETNX', thread, fields[n], ARGV[2 * n + 11])
  end
  return fresh, #fields - 1 - fresh
end

local function put()
  local head = read_head()
  local stored = call('HEXISTS', thread, field) == 1
  local verdict = judge(head, stored)
  local equal = verdict and verdict[1] == 'equal'
  if verdict and not equal then return verdict end

  touch(head, id, now, nonce)
  if not equal then
    if not external then
      call('HSET', thread, field, content)
    elseif stored then
      call('HDEL', thread, field)
    end
    head.items = head.items + call('ZADD', index, 0, field)
    if run ~= '' then call('ZADD', index, 0, 'r' .. run:sub(2)) end
  end
  local changed, kept = store_blobs()
  head.changes = head.changes + 1
  write_head(head)
  expire(id, true, tonumber(ttl))
  if equal then return {'ok', changed, kept + 1} end
  return {'ok', changed + 1, kept}
end

return decide(put, external and fields or {})
