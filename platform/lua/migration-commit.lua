-- The point of no return: from here on only the destination's copy may run. Of a group all commit at once, when the last of them asks.
-- KEYS 1 record, 2 owners hash, 3 last-moved hash, 4 audit stream, 5… records of the others of its group
-- ARGV 1 epoch, 2 now, 3 events channel
-- Returns "committed" (also when repeated under the same epoch) | "refused" | "waiting" (the source has not confirmed its images, or others of the group are not whole yet: ask again)
local epoch, outcome, stage, unconfirmed = unpack(redis.call('HMGET', KEYS[1], 'epoch', 'outcome', 'stage', 'unconfirmed'))
if not epoch or epoch ~= ARGV[1] then
  return 'refused'
end
if outcome == 'committed' then
  return 'committed'
end
if outcome ~= 'pending' or stage ~= 'restore' then
  return 'refused'
end
if unconfirmed == '1' then
  return 'waiting'
end
-- Under an epoch, since a twin that is whole belongs to the executor that had it made.
redis.call('HSET', KEYS[1], 'wholeUnder', epoch)
for index = 5, #KEYS do
  local theirs = redis.call('HMGET', KEYS[index], 'epoch', 'outcome', 'stage', 'wholeUnder')
  if theirs[2] ~= 'pending' then
    return 'refused'
  end
  if theirs[3] ~= 'restore' or theirs[4] ~= theirs[1] then
    return 'waiting'
  end
end
local records = { KEYS[1] }
for index = 5, #KEYS do
  records[#records + 1] = KEYS[index]
end
for _, record in ipairs(records) do
  local id, workload, to = unpack(redis.call('HMGET', record, 'id', 'workload', 'to'))
  redis.call('HSET', record, 'outcome', 'committed', 'updatedAt', ARGV[2])
  redis.call('HSET', KEYS[2], workload, to)
  redis.call('HSET', KEYS[3], workload, ARGV[2])
  redis.call('XADD', KEYS[4], 'MAXLEN', '~', 10000, '*', 'at', ARGV[2], 'kind', 'committed', 'migration', id, 'detail', to)
  redis.call('PUBLISH', ARGV[3], cjson.encode({ kind = 'migration', id = id, stage = 'committed' }))
end
return 'committed'
