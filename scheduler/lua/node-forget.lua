-- Forgets a node that will not come back. What it has left open as a source is settled next, by whoever sees that it is gone (act/settle-lost.ts).
-- KEYS 1 nodes zset, 2 sample, 3 identity, 4 history, 5 maintenance hash, 6 executors hash, 7 power hash, 8 homecomings hash, 9 pattern,
-- 10 what its moves have shown, 11 cordons hash
-- ARGV 1 node
-- Returns "ok" | "none" (no such node) | "reports" (it has a sample: it is alive)
if redis.call('EXISTS', KEYS[2]) == 1 then
  return 'reports'
end
if redis.call('ZREM', KEYS[1], ARGV[1]) == 0 then
  return 'none'
end
redis.call('DEL', KEYS[3], KEYS[4], KEYS[9], KEYS[10])
redis.call('HDEL', KEYS[5], ARGV[1])
redis.call('HDEL', KEYS[6], ARGV[1])
redis.call('HDEL', KEYS[7], ARGV[1])
redis.call('HDEL', KEYS[8], ARGV[1])
redis.call('HDEL', KEYS[11], ARGV[1])
return 'ok'
