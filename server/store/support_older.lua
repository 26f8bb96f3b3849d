-- What a build of before kept: bitmaps. KEYS: supports, then what to delete. Returns how many there were; nothing is deleted
-- where a support key was ever made, for what stands there is then kept in the present form.
if redis.call('HEXISTS', KEYS[1], 'state') == 1 then return 0 end
local gone = 0
for at = 2, #KEYS do
  gone = gone + redis.call('DEL', KEYS[at])
end
return gone
