-- A step of closing. KEYS: supports. ARGV: `sealed`, after which no support is taken, or `dropped` with message and figure of
-- each that stays. Returns the state. Whoever comes after `dropped` changes nothing: who supported what may be gone by then.
if redis.call('HGET', KEYS[1], 'state') == 'dropped' then return 'dropped' end
for at = 2, #ARGV, 2 do
  redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 1])
end
redis.call('HSET', KEYS[1], 'state', ARGV[1])
return ARGV[1]
