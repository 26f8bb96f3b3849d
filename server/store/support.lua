-- Supports of questions. KEYS: supports, then supporters of the question of each. ARGV: most voters; then for each: mark of
-- the key that the handle was made with, handle, 1 for on or 0 for off. Returns for each 1: it changed, 0: it was so already,
-- 2: that key is good for nothing, for no support is taken any more, or the store has forgotten it and has another one,
-- 3: there is no room.
-- Every score is 0: members are then kept in the order of their bytes, which tells nothing of the order in which they came.
local most, answers = tonumber(ARGV[1]), {}
local state = redis.call('HMGET', KEYS[1], 'state', 'mark')
for one = 2, #KEYS do
  local at, supporters = 3 * one - 4, KEYS[one]
  local handle, on, answer = ARGV[at + 1], ARGV[at + 2] == '1', 0
  if state[1] ~= 'open' or state[2] ~= ARGV[at] then
    answer = 2
  elseif not on then
    answer = redis.call('ZREM', supporters, handle)
  elseif not redis.call('ZSCORE', supporters, handle) then
    answer = redis.call('ZCARD', supporters) < most and redis.call('ZADD', supporters, 0, handle) or 3
  end
  answers[one - 1] = answer
end
return answers
