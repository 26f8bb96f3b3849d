-- The atomic step of the log. KEYS: head, log, texts, entries channel, then per append a dedupe key and a rate key (head
-- where there is none).
-- ARGV: known epoch, known seq, seconds a dedupe key lives, largest payload to publish, number of appends; per append:
-- deduped (0/1), digest, result, need_desk (-1: none), need_gate, raises desk (0/1), raises gate, burst (0: unlimited),
-- seconds in which the burst is refilled, number of entries, then per entry: body, has text (0/1), text.
-- Returns {epoch, seq, desk, gate, answers}; an answer is {'new'|'seen', first, last, result}, {'unseen'}, {'reused'},
-- {'conflict'} or {'too_fast', seconds to wait}.
-- With no append it only checks who the store is.
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local head = redis.call('HMGET', KEYS[1], 'epoch', 'seq', 'desk', 'gate', 'run')
local epoch, seq = tonumber(head[1] or 0), tonumber(head[2] or 0)
local desk, gate = tonumber(head[3] or 0), tonumber(head[4] or 0)
local known_epoch, known_seq = tonumber(ARGV[1]), tonumber(ARGV[2])
local ttl, largest, appends = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])

if not head[1] and appends == 0 then
  return {0, 0, 0, 0, {}}
end

-- The store may have forgotten: another server, another start, or it is behind what a node has seen.
-- The clock keeps a restored copy from ever using an epoch again that the lost future had used.
-- Whole seconds: the file that the store writes shall not tell when exactly somebody wrote.
local now = tonumber(redis.call('TIME')[1])
local raised = head[5] ~= run or known_epoch > epoch or (known_epoch == epoch and known_seq > seq)
if raised then
  epoch = math.max(epoch + 1, known_epoch + 1, now)
  redis.call('HSET', KEYS[1], 'epoch', epoch, 'run', run)
end

local after, published, size, answers, at = seq, {}, 0, {}, 6
for i = 1, appends do
  local deduped, digest, result = ARGV[at] == '1', ARGV[at + 1], ARGV[at + 2]
  local need_desk, need_gate = tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4])
  local raises_desk, raises_gate = ARGV[at + 5] == '1', ARGV[at + 6] == '1'
  local burst, seconds, count = tonumber(ARGV[at + 7]), tonumber(ARGV[at + 8]), tonumber(ARGV[at + 9])
  at = at + 10
  local done_key, rate_key = KEYS[3 + 2 * i], KEYS[4 + 2 * i]
  -- When the bucket will be full again (the generic cell rate algorithm): one number for each sender, on all nodes alike.
  local full_at = burst > 0 and math.max(tonumber(redis.call('GET', rate_key) or 0), now) or now
  if full_at > now + seconds then
    full_at = now -- the clock was set back
  end
  local wait = burst > 0 and full_at - now - (seconds - seconds / burst) or 0
  local done = deduped and redis.call('HMGET', done_key, 'digest', 'first', 'last', 'result') or {false}
  if done[1] then
    answers[i] = done[1] == digest and {'seen', tonumber(done[2]), tonumber(done[3]), done[4]} or {'reused'}
  elseif count == 0 then
    answers[i] = {'unseen'}
  elseif (need_desk >= 0 and need_desk ~= desk) or (need_gate >= 0 and need_gate ~= gate) then
    answers[i] = {'conflict'}
  elseif wait > 0 then
    answers[i] = {'too_fast', math.ceil(wait)}
  else
    local first = seq + 1
    for k = 0, count - 1 do
      local body, has_text, text = ARGV[at + 3 * k], ARGV[at + 3 * k + 1] == '1', ARGV[at + 3 * k + 2]
      seq = seq + 1
      redis.call('XADD', KEYS[2], seq .. '-0', 'b', body)
      if has_text then
        redis.call('HSET', KEYS[3], seq, text)
      end
      published[#published + 1] = {seq, body, has_text and text or false}
      size = size + #body + #text
    end
    if raises_desk then desk = seq end
    if raises_gate then gate = seq end
    if deduped then
      redis.call('HSET', done_key, 'digest', digest, 'first', first, 'last', seq, 'result', result)
      redis.call('EXPIREAT', done_key, now + ttl)
    end
    if burst > 0 then
      redis.call('SET', rate_key, full_at + seconds / burst, 'EXAT', now + seconds + 1)
    end
    answers[i] = {'new', first, seq, result}
  end
  at = at + 3 * count
end

if seq > after then
  redis.call('HSET', KEYS[1], 'seq', seq, 'desk', desk, 'gate', gate)
end
if raised or seq > after then
  -- A large batch is announced by its head alone; followers read it from the stream.
  redis.call('SPUBLISH', KEYS[4], cmsgpack.pack({epoch, after, size <= largest and published or seq}))
end
return {epoch, seq, desk, gate, answers}
