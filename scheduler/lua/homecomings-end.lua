-- Forgets wishes that are over, unless an operator has made another one for the node since.
-- KEYS 1 homecomings hash, 2 leader hash
-- ARGV 1 term, then pairs of node and the time at which its wish was made …
-- Returns "ok" | "fenced" (a newer leader exists)
if tonumber(redis.call('HGET', KEYS[2], 'term') or '0') > tonumber(ARGV[1]) then
  return 'fenced'
end
for index = 2, #ARGV, 2 do
  local text = redis.call('HGET', KEYS[1], ARGV[index])
  local isRead, wish = pcall(cjson.decode, text or '')
  if isRead and type(wish) == 'table' and wish.askedAt == tonumber(ARGV[index + 1]) then
    redis.call('HDEL', KEYS[1], ARGV[index])
  end
end
return 'ok'
