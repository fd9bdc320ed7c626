-- Sets the metadata of a thread. Equality is by value, so where the texts differ the caller decides
-- and calls again with what it has compared.
-- Arguments: thread id, time to live, now, nonce, metadata, `1` if it equals {}, `+` and the stored
-- text that is known to be another value.
local id, ttl, now, nonce, metadata, is_empty, compared = unpack(ARGV)
local head = read_head()
if is_torn(head) then return torn end
local known = head.created ~= '-'
if known then
  -- Equal metadata counts as a write too.
  expire(id, true, tonumber(ttl))
  local stored = call('HGET', thread, 'm') or '{}'
  if stored == metadata then return {'ok', 0, 1} end
  if '+' .. stored ~= compared then return {'compare', stored} end
end
touch(head, id, now, nonce)
if known or is_empty ~= '1' then
  call('HSET', thread, 'm', metadata)
  head.revision = head.revision + 1
end
write_head(head)
if not known then expire(id, true, tonumber(ttl)) end
return {'ok', 1, 0}
