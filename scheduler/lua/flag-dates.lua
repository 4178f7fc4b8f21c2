-- Notes when flags were first seen that have no date of their own, and forgets those that stand no more.
-- KEYS 1 flag-dates hash, 2 leader hash
-- ARGV 1 term, 2 how many are new, then that many pairs of flag and time, then flags to forget …
-- Returns "ok" | "fenced" (a newer leader exists)
if tonumber(redis.call('HGET', KEYS[2], 'term') or '0') > tonumber(ARGV[1]) then
  return 'fenced'
end
local first = 3 + 2 * tonumber(ARGV[2])
for index = 3, first - 1, 2 do
  redis.call('HSETNX', KEYS[1], ARGV[index], ARGV[index + 1])
end
for index = first, #ARGV do
  redis.call('HDEL', KEYS[1], ARGV[index])
end
return 'ok'
