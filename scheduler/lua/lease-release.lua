-- Gives the lease back, so that the next leader need not wait for it to lapse. The term stays.
-- KEYS 1 leader hash
-- ARGV 1 holder, 2 term
-- Returns 1 when given back | 0 when it was not ours
local holder, term = unpack(redis.call('HMGET', KEYS[1], 'holder', 'term'))
if holder ~= ARGV[1] or term ~= ARGV[2] then
  return 0
end
redis.call('HSET', KEYS[1], 'holder', '', 'expiresAt', 0, 'url', '')
return 1
