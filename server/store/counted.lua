-- Waiting tokens that a round takes. KEYS: waited, counted, counted_after. ARGV: number of the round that is, most that may be
-- kept, then the ids that count towards the next one. What counted towards a round that has been opened since is taken first.
local now, most = tonumber(ARGV[1]), tonumber(ARGV[2])
local after = tonumber(redis.call('GET', KEYS[3]) or '')
if after and after < now then
  local room = most - redis.call('ZCARD', KEYS[1])
  for _, id in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
    if room <= 0 then break end
    room = room - redis.call('ZADD', KEYS[1], 0, id)
  end
  redis.call('DEL', KEYS[2], KEYS[3])
end
if #ARGV > 2 then
  redis.call('SET', KEYS[3], now)
  for at = 3, #ARGV do redis.call('ZADD', KEYS[2], 0, ARGV[at]) end
end
return 1
