-- Settles a migration in favour of its source, unless the destination has committed; of a group, all of them.
-- KEYS 1 record, 2 audit stream, 3 leader hash, 4… records of the others of its group
-- ARGV 1 now, 2 why, 3 events channel, 4 term of the leader that wants it (0 = unfenced: an executor, or an operator's own doing)
-- Returns the outcome that stands: "aborted" | "committed" | "gone"; or "fenced" (a newer leader exists)
local term = tonumber(ARGV[4])
if term > 0 and tonumber(redis.call('HGET', KEYS[3], 'term') or '0') > term then
  return 'fenced'
end
local outcome = redis.call('HGET', KEYS[1], 'outcome')
if not outcome then
  return 'gone'
end
if outcome ~= 'pending' then
  return outcome
end
local records = { KEYS[1] }
for index = 4, #KEYS do
  records[#records + 1] = KEYS[index]
end
for _, record in ipairs(records) do
  local id, theirs = unpack(redis.call('HMGET', record, 'id', 'outcome'))
  if theirs == 'pending' then
    redis.call('HSET', record, 'outcome', 'aborted', 'updatedAt', ARGV[1])
    redis.call('XADD', KEYS[2], 'MAXLEN', '~', 10000, '*', 'at', ARGV[1], 'kind', 'aborted', 'migration', id, 'detail', ARGV[2])
    redis.call('PUBLISH', ARGV[3], cjson.encode({ kind = 'migration', id = id, stage = 'aborted' }))
  end
end
return 'aborted'
