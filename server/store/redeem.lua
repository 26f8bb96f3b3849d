-- Tokens are shown. KEYS: tokens, arrived, willing, then the windows of nonces. ARGV: most tokens, most nonces of a window,
-- for each window when it ends; then for each token: its id, hash of its device key, author tag, 1 if it may be new, 1 if its
-- holder will come in with few, hash of the nonce, which of the windows it is of. Returns for each 1: shown for the first time,
-- 2: shown before by the same key, 0: by another key, 3: new, and it may not be, 4: there is no room, 5: its nonce was used.
-- All sets are sorted by bytes alone.
for at = 1, 3 do sorted(KEYS[at]) end
local last = string.rep('\255', 32)
local room = tonumber(ARGV[1]) - redis.call('ZCARD', KEYS[1])
local windows = #KEYS - 3
local nonce_room = {}
for at = 1, windows do nonce_room[at] = tonumber(ARGV[2]) - redis.call('ZCARD', KEYS[3 + at]) end
local answers = {}
for at = 3 + windows, #ARGV, 7 do
  local id, device, tag, window = ARGV[at], ARGV[at + 1], ARGV[at + 2], tonumber(ARGV[at + 6])
  local answer
  if nonce_room[window] <= 0 then
    answer = 4
  elseif redis.call('ZADD', KEYS[3 + window], 'NX', 0, ARGV[at + 5]) == 0 then
    answer = 5
  else
    nonce_room[window] = nonce_room[window] - 1
    local known = redis.call('ZRANGEBYLEX', KEYS[1], '[' .. id, '[' .. id .. last, 'LIMIT', 0, 1)[1]
    if known then
      answer = string.sub(known, #id + 1) == device and 2 or 0
    elseif ARGV[at + 3] ~= '1' then
      answer = 3
    elseif room <= 0 then
      answer = 4
    else
      redis.call('ZADD', KEYS[1], 0, id .. device)
      redis.call('ZADD', KEYS[2], 0, tag)
      room = room - 1
      answer = 1
    end
    -- Only whoever waits: what stands there goes when they are let in.
    if (answer == 1 or answer == 2) and ARGV[at + 4] == '1' and redis.call('ZSCORE', KEYS[2], tag) then
      redis.call('ZADD', KEYS[3], 0, tag)
    end
  end
  answers[#answers + 1] = answer
end
for at = 1, windows do redis.call('EXPIREAT', KEYS[3 + at], ARGV[2 + at]) end
return answers
