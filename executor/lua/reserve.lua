-- Holds memory on a destination, if what is reserved already leaves room for it.
-- KEYS 1 reservations hash of the node
-- ARGV 1 migration id, 2 reservation JSON, 3 bytes free on the node, 4 now
-- Returns "ok" | "full"
local free = tonumber(ARGV[3])
local wanted = cjson.decode(ARGV[2])
for id, text in pairs((function()
  local flat, map = redis.call('HGETALL', KEYS[1]), {}
  for i = 1, #flat, 2 do map[flat[i]] = flat[i + 1] end
  return map
end)()) do
  local held = cjson.decode(text)
  if held.expiresAt < tonumber(ARGV[4]) then
    redis.call('HDEL', KEYS[1], id)
  elseif id ~= ARGV[1] then
    free = free - held.memoryBytes
  end
end
if wanted.memoryBytes > free then
  return 'full'
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 'ok'
