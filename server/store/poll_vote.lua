-- Ballots into the box. KEYS: polls, votes, tally. ARGV: poll, choices, most voters; then for each: mark of the key that the
-- ballot was made with, ballot, choice.
-- Returns for each 1: it is in, 0: the box is sealed, 2: the poll has another key, because the store has forgotten the one
-- before, 3: there is no room.
-- In the box stand ballot and choice (one byte) together, each with the score 0: members are then kept in the order of their
-- bytes, which tells nothing of the order in which they came.
local poll, choices, most = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local open = redis.call('HGET', KEYS[1], poll) == 'open'
local mark = redis.call('HGET', KEYS[3], 'mark')
local voters, answers = redis.call('ZCARD', KEYS[2]), {}
if open and voters == 0 then
  -- In their order: a small hash keeps that in which its fields came.
  for one = 0, choices - 1 do redis.call('HSETNX', KEYS[3], one, 0) end
end
for at = 4, #ARGV, 3 do
  local ballot, choice = ARGV[at + 1], ARGV[at + 2]
  local before = redis.call('ZRANGEBYLEX', KEYS[2], '[' .. ballot, '[' .. ballot .. '\255')[1]
  if not open then
    answers[#answers + 1] = 0
  elseif ARGV[at] ~= mark then
    answers[#answers + 1] = 2
  elseif not before and voters >= most then
    answers[#answers + 1] = 3
  else
    answers[#answers + 1] = 1
    local now = ballot .. string.char(choice)
    if before ~= now then
      if before then
        redis.call('ZREM', KEYS[2], before)
        redis.call('HINCRBY', KEYS[3], string.byte(before, #before), -1)
      else
        voters = voters + 1
      end
      redis.call('ZADD', KEYS[2], 0, now)
      redis.call('HINCRBY', KEYS[3], choice, 1)
    end
  end
end
return answers
