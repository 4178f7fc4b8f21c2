-- Forgets where workloads were that nobody has seen for long, unless they have moved since they were looked at or a newer leader exists.
-- KEYS 1 last-moved hash, 2 owners hash, 3 leader hash, 4 open-by-workload hash
-- ARGV 1 term, 2 epoch seconds: only what moved before, then workload …
-- Returns how many were forgotten | "fenced"
if tonumber(redis.call('HGET', KEYS[3], 'term') or '0') > tonumber(ARGV[1]) then
  return 'fenced'
end
local forgotten = 0
for index = 3, #ARGV do
  local movedAt = tonumber(redis.call('HGET', KEYS[1], ARGV[index]) or '0')
  if movedAt < tonumber(ARGV[2]) and redis.call('HEXISTS', KEYS[4], ARGV[index]) == 0 then
    redis.call('HDEL', KEYS[1], ARGV[index])
    redis.call('HDEL', KEYS[2], ARGV[index])
    forgotten = forgotten + 1
  end
end
return forgotten
