-- KEYS: arrived, willing. Returns the members of both.
for at = 1, 2 do sorted(KEYS[at]) end
return {redis.call('ZRANGE', KEYS[1], 0, -1), redis.call('ZRANGE', KEYS[2], 0, -1)}
