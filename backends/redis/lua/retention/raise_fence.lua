-- Keeps sweeps that began under a lower fence from deleting in this bucket. Late where the fence is
-- higher already.
-- Arguments: the fence; `1` when nothing may go without an archive from now on, `0` when it may, else
-- nothing.
if tonumber(call('HGET', orders, 'f') or 0) >= tonumber(ARGV[1]) then return {'late'} end
call('HSET', orders, 'f', ARGV[1])
if ARGV[2] == '1' then call('HSET', orders, 'a', '1') end
if ARGV[2] == '0' then call('HDEL', orders, 'a') end
return {'ok'}
