-- Gives a committed migration back to its source. Only the destination may ask, after its own copy is gone for certain and before
-- the source was told to destroy the frozen one.
-- KEYS 1 record, 2 owners hash, 3 audit stream   ARGV 1 epoch, 2 now, 3 events channel, 4 id
-- Returns "reverted" | "refused"
local epoch, outcome, stage, closed, workload, from =
  unpack(redis.call('HMGET', KEYS[1], 'epoch', 'outcome', 'stage', 'closedAt', 'workload', 'from'))
if epoch ~= ARGV[1] or outcome ~= 'committed' or stage ~= 'restore' or (closed and closed ~= '') then
  return 'refused'
end
redis.call('HSET', KEYS[1], 'outcome', 'aborted', 'updatedAt', ARGV[2])
redis.call('HSET', KEYS[2], workload, from)
redis.call('XADD', KEYS[3], 'MAXLEN', '~', 10000, '*', 'at', ARGV[2], 'kind', 'reverted', 'migration', ARGV[4], 'detail', from)
redis.call('PUBLISH', ARGV[3], cjson.encode({ kind = 'migration', id = ARGV[4], stage = 'aborted' }))
return 'reverted'
