-- Takes an old tombstone away, unless something was deleted since; how many.
-- Arguments: thread id, before when something was deleted for the last time.
local id, before = ARGV[1], tonumber(ARGV[2])
local at = call('ZSCORE', tombstones, id)
if not at or tonumber(at) >= before then return {'ok', 0} end
call('ZREM', tombstones, id)
local head = read_head()
if head.tombstone == '' then return {'ok', 1} end
head.tombstone = ''
if head.created == '-' then
  call('HDEL', thread, 'h')
else
  write_head(head)
end
return {'ok', 1}
