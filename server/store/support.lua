-- One voter's bit in one question's bitmap. KEYS: slots, pool, bitmap. ARGV: voter, on (0/1), most voters.
-- Returns 1 if it changed. The pool is refilled in blocks, so that a bit's position does not tell who came first.
local slot = redis.call('HGET', KEYS[1], ARGV[1])
if not slot then
  if ARGV[2] == '0' then return 0 end
  slot = redis.call('SPOP', KEYS[2])
  if not slot then
    local taken = redis.call('HLEN', KEYS[1])
    if taken >= tonumber(ARGV[3]) then return redis.error_reply('OOM too many voters') end
    for i = taken, taken + 1023 do redis.call('SADD', KEYS[2], i) end
    slot = redis.call('SPOP', KEYS[2])
  end
  redis.call('HSET', KEYS[1], ARGV[1], slot)
end
local before = redis.call('SETBIT', KEYS[3], slot, ARGV[2])
return before == tonumber(ARGV[2]) and 0 or 1
