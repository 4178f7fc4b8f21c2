-- Takes the leader lease when nobody holds it. The term only ever grows and outlives the lease: it fences every later write.
-- KEYS 1 leader hash
-- ARGV 1 holder, 2 lease in milliseconds, 3 url under which the holder serves its API
-- Returns { 1, term } when taken | { 0, term } while another holds it
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local holder, expiresAt = unpack(redis.call('HMGET', KEYS[1], 'holder', 'expiresAt'))
if holder and holder ~= '' and holder ~= ARGV[1] and tonumber(expiresAt or '0') > now then
  return { 0, tonumber(redis.call('HGET', KEYS[1], 'term') or '0') }
end
local term = redis.call('HINCRBY', KEYS[1], 'term', 1)
redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'expiresAt', now + tonumber(ARGV[2]), 'url', ARGV[3])
return { 1, term }
