-- The key of a poll's votes, made when it is first asked for. KEYS: polls, secrets. ARGV: poll, name of its key, 32 random
-- bytes. Returns the key, or false once the box is sealed: then no key is made ever again.
redis.call('HSETNX', KEYS[1], ARGV[1], 'open')
if redis.call('HGET', KEYS[1], ARGV[1]) ~= 'open' then return false end
redis.call('HSETNX', KEYS[2], ARGV[2], ARGV[3])
return redis.call('HGET', KEYS[2], ARGV[2])
