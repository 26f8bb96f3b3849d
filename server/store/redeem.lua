-- Tokens are shown. KEYS: tokens, arrived, willing. ARGV: most tokens; then for each: token id, hash of its device key,
-- author tag, 1 if it may be new, 1 if its holder will come in with few. Returns for each 1: shown for the first time,
-- 2: shown before by the same key, 0: by another key, 3: new, and it may not be, 4: there is no room.
local room = tonumber(ARGV[1]) - redis.call('HLEN', KEYS[1])
local answers = {}
for at = 2, #ARGV, 5 do
  local known = redis.call('HGET', KEYS[1], ARGV[at])
  local answer
  if known then
    answer = known == ARGV[at + 1] and 2 or 0
  elseif ARGV[at + 3] ~= '1' then
    answer = 3
  elseif room <= 0 then
    answer = 4
  else
    redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 1])
    redis.call('SADD', KEYS[2], ARGV[at + 2])
    room = room - 1
    answer = 1
  end
  -- Only whoever waits: what stands there goes when they are let in.
  if (answer == 1 or answer == 2) and ARGV[at + 4] == '1' and redis.call('SISMEMBER', KEYS[2], ARGV[at + 2]) == 1 then
    redis.call('SADD', KEYS[3], ARGV[at + 2])
  end
  answers[#answers + 1] = answer
end
return answers
