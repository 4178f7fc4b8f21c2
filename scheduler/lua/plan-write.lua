-- Publishes the newest plan, unless a newer leader exists.
-- KEYS 1 plan string, 2 leader hash
-- ARGV 1 plan JSON, 2 term, 3 events channel
-- Returns "ok" | "fenced"
if tonumber(redis.call('HGET', KEYS[2], 'term') or '0') > tonumber(ARGV[2]) then
  return 'fenced'
end
redis.call('SET', KEYS[1], ARGV[1])
redis.call('PUBLISH', ARGV[3], cjson.encode({ kind = 'plan', term = tonumber(ARGV[2]) }))
return 'ok'
