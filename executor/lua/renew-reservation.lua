-- Lets what is held for a migration count for longer.
-- KEYS 1 reservations hash of the node
-- ARGV 1 migration id, 2 epoch seconds until when
-- Returns "renewed" | "gone"
local text = redis.call('HGET', KEYS[1], ARGV[1])
if not text then
  return 'gone'
end
local held = cjson.decode(text)
held.expiresAt = tonumber(ARGV[2])
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(held))
return 'renewed'
