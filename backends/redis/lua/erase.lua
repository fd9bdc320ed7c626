-- Deletes checkpoints with their writes, and blobs, if the thread has not changed since the caller
-- chose them.
-- Arguments: thread id, time to live, now, generation and changes that the caller saw, nonce,
-- greatest checkpoint id that goes or nothing, number of checkpoints, of blobs and of runs; then
-- namespace and id of each checkpoint, the fields of the blobs, and runs of which no checkpoint
-- stays; of a sweep what it has judged.
local id, ttl, now, generation, changes, nonce, greatest = unpack(ARGV, 1, 7)
local checkpoints, blobs = tonumber(ARGV[8]), tonumber(ARGV[9])
local head = read_head()
if is_torn(head) then return torn end
if head.generation ~= generation or head.changes ~= tonumber(changes) then return {'changed'} end
local last = 10 + checkpoints + blobs + tonumber(ARGV[10])
if not is_as_judged(id, last + 1) then return {'changed'} end

local fields, writes, values, runs = {}, {}, {}, {}
for n = 11, 10 + checkpoints do
  local place = ARGV[n]
  fields[#fields + 1] = 'c' .. place
  for _, write in ipairs(writes_at(place)) do writes[#writes + 1] = write end
end
for n = 11 + checkpoints, 10 + checkpoints + blobs do values[#values + 1] = ARGV[n] end
for n = 11 + checkpoints + blobs, last do runs[#runs + 1] = 'r' .. ARGV[n] end

local deleted = each_thousand('HDEL', thread, fields)
each_thousand('HDEL', thread, writes)
each_thousand('HDEL', thread, values)
head.items = math.max(head.items - each_thousand('ZREM', index, fields), 0)
each_thousand('ZREM', index, writes)
each_thousand('ZREM', index, runs)
if less(head.tombstone, greatest) then head.tombstone = greatest end
head.changes, head.generation = head.changes + 1, nonce
write_head(head)
expire(id, head.created ~= '-', tonumber(ttl))
if checkpoints > 0 then date_tombstone(id, now) end
return {'ok', deleted, 0}
