-- Settles a migration in favour of its source, unless the destination has committed.
-- KEYS 1 record, 2 audit stream
-- ARGV 1 now, 2 why, 3 events channel, 4 id
-- Returns the outcome that stands: "aborted" | "committed" | "gone"
local outcome = redis.call('HGET', KEYS[1], 'outcome')
if not outcome then
  return 'gone'
end
if outcome == 'pending' then
  redis.call('HSET', KEYS[1], 'outcome', 'aborted', 'updatedAt', ARGV[1])
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', 10000, '*', 'at', ARGV[1], 'kind', 'aborted', 'migration', ARGV[4], 'detail', ARGV[2])
  redis.call('PUBLISH', ARGV[3], cjson.encode({ kind = 'migration', id = ARGV[4], stage = 'aborted' }))
  return 'aborted'
end
return outcome
