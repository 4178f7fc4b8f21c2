-- An executor takes a migration up: raises its epoch, which fences whoever held it before.
-- KEYS 1 record   ARGV 1 now
-- Returns the new epoch as a string | "gone" | "closed"
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 'gone'
end
local closed = redis.call('HGET', KEYS[1], 'closedAt')
if closed and closed ~= '' then
  return 'closed'
end
redis.call('HSET', KEYS[1], 'updatedAt', ARGV[1])
return tostring(redis.call('HINCRBY', KEYS[1], 'epoch', 1))
