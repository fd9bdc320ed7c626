-- Gives back fields that a refused transaction has blocked. No stored value is empty.
for _, field in ipairs(ARGV) do
  if call('HSTRLEN', thread, field) == 0 then call('HDEL', thread, field) end
end
return 0
