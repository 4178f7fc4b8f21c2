-- Notes the stage reached and any fields, if the caller still holds the migration.
-- KEYS 1 record, 2 audit stream, 3 owners hash, 4 last-moved hash
-- ARGV 1 epoch, 2 stage, 3 now, 4 fields as a JSON object of strings, 5 events channel, 6 id
-- Returns "ok" | "gone" | "fenced" (epoch is not ours) | "settled" (closed, or a stage that the outcome rules out)
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 'gone'
end
local epoch, outcome, closed, stage = unpack(redis.call('HMGET', KEYS[1], 'epoch', 'outcome', 'closedAt', 'stage'))
if epoch ~= ARGV[1] then
  return 'fenced'
end
if (closed and closed ~= '') or (outcome == 'aborted' and ARGV[2] ~= 'cleanup') then
  return 'settled'
end
-- Back to `restore` would open the door to a revert again.
if outcome == 'committed' and ARGV[2] ~= 'resume' and ARGV[2] ~= 'cleanup' then
  return 'settled'
end
-- Only a source that was told so says that the other copy runs. A record that knows of no commit has lost it with a Redis that had not kept it, and must not be
-- aborted after that: it would cost the only copy.
if outcome == 'pending' and ARGV[2] == 'resume' then
  local workload, to = unpack(redis.call('HMGET', KEYS[1], 'workload', 'to'))
  redis.call('HSET', KEYS[1], 'outcome', 'committed')
  redis.call('HSET', KEYS[3], workload, to)
  redis.call('HSET', KEYS[4], workload, ARGV[3])
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', 10000, '*', 'at', ARGV[3], 'kind', 'committed', 'migration', ARGV[6], 'detail', to)
end
local fields = cjson.decode(ARGV[4])
for name, value in pairs(fields) do
  redis.call('HSET', KEYS[1], name, value)
end
redis.call('HSET', KEYS[1], 'updatedAt', ARGV[3])
if stage ~= ARGV[2] then
  local timeline = cjson.decode(redis.call('HGET', KEYS[1], 'timeline') or '[]')
  if #timeline < 64 then
    local sent = fields.bytes and fields.bytes ~= '{}' and cjson.decode(fields.bytes) or nil
    timeline[#timeline + 1] = { stage = ARGV[2], at = tonumber(ARGV[3]), bytes = sent }
  end
  redis.call('HSET', KEYS[1], 'stage', ARGV[2], 'timeline', cjson.encode(timeline))
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', 10000, '*', 'at', ARGV[3], 'kind', 'stage', 'migration', ARGV[6], 'detail', ARGV[2])
end
redis.call('PUBLISH', ARGV[5], cjson.encode({ kind = 'migration', id = ARGV[6], stage = ARGV[2] }))
return 'ok'
