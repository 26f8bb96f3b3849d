-- Ballots into the box. KEYS: polls, votes, tally, gauges channel. ARGV: poll, choices, most voters, voters
-- between two figures; then for each: mark of the key that the ballot was made with, ballot, choice.
-- Returns for each 1: it is in, 0: the box is sealed, 2: the poll has another key, because the store has forgotten the one
-- before, 3: there is no room.
local poll, choices, most, step = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local open = redis.call('HGET', KEYS[1], poll) == 'open'
local mark = redis.call('HGET', KEYS[3], 'mark')
local voters, told, answers = redis.call('HLEN', KEYS[2]), nil, {}
for at = 5, #ARGV, 3 do
  local ballot, choice = ARGV[at + 1], ARGV[at + 2]
  local before = redis.call('HGET', KEYS[2], ballot)
  if not open then
    answers[#answers + 1] = 0
  elseif ARGV[at] ~= mark then
    answers[#answers + 1] = 2
  elseif not before and voters >= most then
    answers[#answers + 1] = 3
  else
    answers[#answers + 1] = 1
    if before ~= choice then
      redis.call('HSET', KEYS[2], ballot, choice)
      redis.call('HINCRBY', KEYS[3], choice, 1)
      if before then
        redis.call('HINCRBY', KEYS[3], before, -1)
      else
        voters = voters + 1
        -- What is told moves with every so many voters and not between: nobody can watch a single vote arrive or change.
        if voters % step == 0 then
          told = {tonumber(poll), voters, {}}
          for one = 0, choices - 1 do
            told[3][one + 1] = tonumber(redis.call('HGET', KEYS[3], one) or 0)
          end
        end
      end
    end
  end
end
if told then
  redis.call('HSET', KEYS[3], 'told', cmsgpack.pack(told))
  redis.call('SPUBLISH', KEYS[4], cmsgpack.pack({poll = told}))
end
return answers
