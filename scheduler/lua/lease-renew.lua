-- Prolongs the lease. A lapsed one may be prolonged as long as nobody has taken it: its term still stands.
-- KEYS 1 leader hash
-- ARGV 1 holder, 2 term, 3 lease in milliseconds
-- Returns 1 when prolonged | 0 when it is lost
local holder, term = unpack(redis.call('HMGET', KEYS[1], 'holder', 'term'))
if holder ~= ARGV[1] or term ~= ARGV[2] then
  return 0
end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call('HSET', KEYS[1], 'expiresAt', now + tonumber(ARGV[3]))
return 1
