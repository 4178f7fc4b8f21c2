-- Opens a migration record, at most one open for a workload.
-- KEYS 1 record, 2 open set, 3 open-by-workload hash, 4 leader hash, 5 audit stream
-- ARGV 1 migration JSON, 2 now, 3 leader term (0 = unfenced), 4 events channel
-- Returns "ok" | "busy" (workload has an open one, or the id exists) | "fenced" (a newer leader's term stands)
local m = cjson.decode(ARGV[1])
local term = tonumber(ARGV[3])
if term > 0 and tonumber(redis.call('HGET', KEYS[4], 'term') or '0') > term then
  return 'fenced'
end
if redis.call('HEXISTS', KEYS[3], m.workload) == 1 or redis.call('EXISTS', KEYS[1]) == 1 then
  return 'busy'
end
for name, value in pairs(m) do
  redis.call('HSET', KEYS[1], name, tostring(value))
end
redis.call('HSET', KEYS[1], 'epoch', 0, 'stage', 'queued', 'outcome', 'pending', 'createdAt', ARGV[2], 'updatedAt', ARGV[2],
  'timeline', cjson.encode({ { stage = 'queued', at = tonumber(ARGV[2]) } }))
redis.call('SADD', KEYS[2], m.id)
redis.call('HSET', KEYS[3], m.workload, m.id)
redis.call('XADD', KEYS[5], 'MAXLEN', '~', 10000, '*', 'at', ARGV[2], 'kind', 'migration-opened', 'migration', m.id,
  'workload', m.workload, 'detail', m.from .. ' -> ' .. m.to .. ': ' .. m.because)
redis.call('PUBLISH', ARGV[4], cjson.encode({ kind = 'migration', id = m.id, stage = 'queued' }))
return 'ok'
