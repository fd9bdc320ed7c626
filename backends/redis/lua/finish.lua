-- Ends a transaction with values outside: gives back fields that a refused one has taken, for no
-- stored value is empty. A hash that the values have made gets the deadline of the index.
-- Arguments: the fields.
for _, field in ipairs(ARGV) do
  if call('HSTRLEN', thread, field) == 0 then call('HDEL', thread, field) end
end
if call('PTTL', thread) == -1 then expire('', false, 0) end
return 0
