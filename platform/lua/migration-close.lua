-- Closes a settled migration and frees what it held; keeps the newest closed ones only.
-- KEYS 1 record, 2 open set, 3 open-by-workload hash, 4 closed zset, 5 reservations hash of the destination, 6 audit stream
-- ARGV 1 id, 2 now, 3 result, 4 error code, 5 error message, 6 closed records kept, 7 events channel, 8 key prefix of records
-- Returns "ok" | "gone" | "pending" (not settled: neither committed nor aborted)
local outcome, closed, workload = unpack(redis.call('HMGET', KEYS[1], 'outcome', 'closedAt', 'workload'))
if not outcome then
  redis.call('SREM', KEYS[2], ARGV[1])
  return 'gone'
end
if outcome == 'pending' then
  return 'pending'
end
if closed and closed ~= '' then
  return 'ok'
end
redis.call('HSET', KEYS[1], 'closedAt', ARGV[2], 'updatedAt', ARGV[2], 'result', ARGV[3], 'errorCode', ARGV[4],
  'errorMessage', ARGV[5], 'progress', '')
redis.call('SREM', KEYS[2], ARGV[1])
if redis.call('HGET', KEYS[3], workload) == ARGV[1] then
  redis.call('HDEL', KEYS[3], workload)
end
redis.call('HDEL', KEYS[5], ARGV[1])
redis.call('ZADD', KEYS[4], ARGV[2], ARGV[1])
local surplus = redis.call('ZCARD', KEYS[4]) - tonumber(ARGV[6])
if surplus > 0 then
  for _, id in ipairs(redis.call('ZPOPMIN', KEYS[4], surplus)) do
    redis.call('DEL', ARGV[8] .. id)
  end
end
redis.call('XADD', KEYS[6], 'MAXLEN', '~', 10000, '*', 'at', ARGV[2], 'kind', 'migration-closed', 'migration', ARGV[1],
  'detail', ARGV[3] .. ' ' .. ARGV[4])
redis.call('PUBLISH', ARGV[7], cjson.encode({ kind = 'migration', id = ARGV[1], stage = 'closed' }))
return 'ok'
