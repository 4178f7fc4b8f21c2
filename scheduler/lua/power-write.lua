-- Notes what a node's power has been told to do.
-- KEYS 1 power hash, 2 leader hash
-- ARGV 1 term, 2 node, 3 record as JSON
-- Returns "ok" | "fenced" (a newer leader exists)
local term = tonumber(redis.call('HGET', KEYS[2], 'term') or '0')
if tonumber(ARGV[1]) < term then
  return 'fenced'
end
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
return 'ok'
