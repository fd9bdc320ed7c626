-- Keeps sweeps that began under a lower fence from deleting in this bucket.
-- Arguments: the fence.
if tonumber(call('HGET', orders, 'f') or 0) < tonumber(ARGV[1]) then
  call('HSET', orders, 'f', ARGV[1])
end
return {'ok'}
