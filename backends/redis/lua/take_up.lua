-- Makes a store of format 1 one of format 2, which has more kinds of fields. Older programs that
-- open it from now on are told. Its key is that of the format.
if call('HGET', KEYS[1], 'format') == '1' then call('HSET', KEYS[1], 'format', '2') end
return 0
