-- Forgets threads of a bucket that have expired; how many.
-- Arguments: how many at most.
return {'ok', clean(clock(), tonumber(ARGV[1]))}
