-- The figure of an open poll that is told. KEYS: polls, votes, tally, gauges channel. ARGV: poll, choices, seconds between two
-- figures, voters between two figures (a multiple of five), a number drawn by chance in [0, 1).
-- Returns the figure that stands, packed: poll, voters, votes for each choice; false: none was told yet. A new one is told when
-- so many seconds have passed and so many more have voted, whoever asks and however often: nobody can watch one vote arrive.
-- It is coarse. `voters` is rounded down; each choice gets whole parts, of which there are at most 20 and none is of fewer than
-- five voters, by chance the number below or above its share: nobody can bring it to an edge that one vote crosses.
local poll, choices, seconds, step = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local tally = redis.call('HMGET', KEYS[3], 'told', 'told_at', 'told_of')
if redis.call('HGET', KEYS[1], ARGV[1]) ~= 'open' then return tally[1] end
local now, at = tonumber(redis.call('TIME')[1]), tonumber(tally[2])
if not at or at > now then -- nobody has looked yet, or the clock was set back
  redis.call('HSET', KEYS[3], 'told_at', now)
  return tally[1]
end
local voters = redis.call('ZCARD', KEYS[2])
if now - at < seconds or voters < tonumber(tally[3] or 0) + step then return tally[1] end

local told, counts = voters - voters % step, {}
local parts, sum, before = math.min(20, told / 5), 0, 0
for one = 0, choices - 1 do
  sum = sum + tonumber(redis.call('HGET', KEYS[3], one) or 0)
  -- Of all up to this choice, so that the parts add up; in whole voters.
  local upto = math.floor(math.floor(sum * parts / voters + ARGV[5]) * told / parts)
  counts[one + 1] = upto - before
  before = upto
end
local figure = cmsgpack.pack({poll, told, counts})
redis.call('HSET', KEYS[3], 'told', figure, 'told_at', now, 'told_of', voters)
redis.call('SPUBLISH', KEYS[4], cmsgpack.pack({poll = {poll, told, counts}}))
return figure
