-- The point of no return: from here on only the destination's copy may run.
-- KEYS 1 record, 2 owners hash, 3 last-moved hash, 4 audit stream
-- ARGV 1 epoch, 2 now, 3 events channel, 4 id
-- Returns "committed" (also when repeated under the same epoch) | "refused"
local epoch, outcome, stage, workload, to = unpack(redis.call('HMGET', KEYS[1], 'epoch', 'outcome', 'stage', 'workload', 'to'))
if not epoch or epoch ~= ARGV[1] then
  return 'refused'
end
if outcome == 'committed' then
  return 'committed'
end
if outcome ~= 'pending' or stage ~= 'restore' then
  return 'refused'
end
redis.call('HSET', KEYS[1], 'outcome', 'committed', 'updatedAt', ARGV[2])
redis.call('HSET', KEYS[2], workload, to)
redis.call('HSET', KEYS[3], workload, ARGV[2])
redis.call('XADD', KEYS[4], 'MAXLEN', '~', 10000, '*', 'at', ARGV[2], 'kind', 'committed', 'migration', ARGV[4], 'detail', to)
redis.call('PUBLISH', ARGV[3], cjson.encode({ kind = 'migration', id = ARGV[4], stage = 'committed' }))
return 'committed'
