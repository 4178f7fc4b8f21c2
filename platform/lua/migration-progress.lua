-- Notes how far the present stage is. Never changes the stage: a note that comes late is dropped.
-- KEYS 1 record
-- ARGV 1 epoch, 2 stage, 3 now, 4 progress as JSON, 5 bytes sent as JSON, 6 events channel, 7 id
-- Returns "ok" | "stale" (not this epoch's, another stage, closed or gone)
local epoch, stage, closed = unpack(redis.call('HMGET', KEYS[1], 'epoch', 'stage', 'closedAt'))
if epoch ~= ARGV[1] or stage ~= ARGV[2] or (closed and closed ~= '') then
  return 'stale'
end
redis.call('HSET', KEYS[1], 'progress', ARGV[4], 'bytes', ARGV[5], 'updatedAt', ARGV[3])
redis.call('PUBLISH', ARGV[6], cjson.encode({ kind = 'migration', id = ARGV[7], stage = stage }))
return 'ok'
