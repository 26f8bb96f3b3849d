-- One node's figure, and the sum of all that are fresh. KEYS: presence. ARGV: node, viewers, seconds for which a figure is
-- fresh. Returns the sum. By the store's clock alone: those of the nodes need not agree. What is stale is dropped.
local now, fresh, sum = tonumber(redis.call('TIME')[1]), tonumber(ARGV[3]), 0
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ':' .. now)
redis.call('EXPIRE', KEYS[1], 10 * fresh)
local told = redis.call('HGETALL', KEYS[1])
for i = 1, #told, 2 do
  local viewers, at = string.match(told[i + 1], '(%d+):(%d+)')
  if math.abs(now - tonumber(at)) <= fresh then
    sum = sum + tonumber(viewers)
  else
    redis.call('HDEL', KEYS[1], told[i])
  end
end
return sum
