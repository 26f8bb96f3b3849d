-- In front of scripts: what an earlier version kept as a hash or as a set becomes a sorted set whose scores are all 0.
local function sorted(key)
  local kind = redis.call('TYPE', key).ok
  if kind == 'hash' then
    local old = redis.call('HGETALL', key)
    redis.call('DEL', key)
    for at = 1, #old, 2 do redis.call('ZADD', key, 0, old[at] .. old[at + 1]) end
  elseif kind == 'set' then
    local old = redis.call('SMEMBERS', key)
    redis.call('DEL', key)
    for _, member in ipairs(old) do redis.call('ZADD', key, 0, member) end
  end
end
