-- One token is shown. KEYS: tokens, arrived. ARGV: token id, hash of its device key, author tag, most tokens.
-- Returns 1: shown for the first time, 2: shown before by the same key, 0: by another key.
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known then
  return known == ARGV[2] and 2 or 0
end
if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[4]) then
  return redis.error_reply('OOM too many tokens')
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('SADD', KEYS[2], ARGV[3])
return 1
