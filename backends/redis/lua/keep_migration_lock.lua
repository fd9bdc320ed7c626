-- The lock of migrations, KEYS[1], goes ARGV[2] milliseconds from now; with 0 at once. Only if it is
-- that of ARGV[1]; else 0.
if call('GET', thread) ~= ARGV[1] then return 0 end
return call('PEXPIRE', thread, ARGV[2])
