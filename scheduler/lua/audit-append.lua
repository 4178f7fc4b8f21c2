-- Notes something a leader did or saw, unless a newer leader exists.
-- KEYS 1 audit stream, 2 leader hash
-- ARGV 1 term (0 = unfenced: an operator's own doing), 2 entries kept, then field value …
-- Returns "ok" | "fenced"
local term = tonumber(ARGV[1])
if term > 0 and tonumber(redis.call('HGET', KEYS[2], 'term') or '0') > term then
  return 'fenced'
end
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], '*', unpack(ARGV, 3))
return 'ok'
