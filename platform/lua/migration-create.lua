-- Opens migration records, all of them or none, at most one open for a workload. More than one: a group that moves as one.
-- KEYS 1 open set, 2 open-by-workload hash, 3 leader hash, 4 audit stream, 5… records
-- ARGV 1 migrations as a JSON list, in the order of the records, 2 now, 3 leader term (0 = unfenced), 4 events channel
-- Returns "ok" | "fenced" (a newer leader's term stands) | "busy <workload>" (it has an open one, or the id exists)
local migrations = cjson.decode(ARGV[1])
local term = tonumber(ARGV[3])
if term > 0 and tonumber(redis.call('HGET', KEYS[3], 'term') or '0') > term then
  return 'fenced'
end
for index, m in ipairs(migrations) do
  if redis.call('HEXISTS', KEYS[2], m.workload) == 1 or redis.call('EXISTS', KEYS[4 + index]) == 1 then
    return 'busy ' .. m.workload
  end
end
for index, m in ipairs(migrations) do
  local record = KEYS[4 + index]
  for name, value in pairs(m) do
    redis.call('HSET', record, name, tostring(value))
  end
  redis.call('HSET', record, 'epoch', 0, 'stage', 'queued', 'outcome', 'pending', 'createdAt', ARGV[2], 'updatedAt', ARGV[2],
    'timeline', cjson.encode({ { stage = 'queued', at = tonumber(ARGV[2]) } }))
  redis.call('SADD', KEYS[1], m.id)
  redis.call('HSET', KEYS[2], m.workload, m.id)
  redis.call('XADD', KEYS[4], 'MAXLEN', '~', 10000, '*', 'at', ARGV[2], 'kind', 'migration-opened', 'migration', m.id,
    'workload', m.workload, 'detail', m.from .. ' -> ' .. m.to .. ': ' .. m.because)
  redis.call('PUBLISH', ARGV[4], cjson.encode({ kind = 'migration', id = m.id, stage = 'queued' }))
end
return 'ok'
