-- Seal the box, and count. KEYS: polls, tally. ARGV: poll, choices. Returns the votes for each choice, the same at each
-- asking; false: they were dropped, so that the log has them.
if redis.call('HGET', KEYS[1], ARGV[1]) == 'dropped' then return false end
redis.call('HSET', KEYS[1], ARGV[1], 'sealed')
local counts = {}
for choice = 0, tonumber(ARGV[2]) - 1 do
  counts[choice + 1] = tonumber(redis.call('HGET', KEYS[2], choice) or 0)
end
return counts
