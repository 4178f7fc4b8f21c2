import { leave } from "../platform/leave.js";
import { configPath, loadConfig } from "../platform/load-config.js";
import { makeLog } from "../platform/log.js";
import { makeRegistry } from "../platform/metrics.js";
import { assertNoEviction, connectRedis } from "../platform/redis.js";
import { startScheduler } from "./start-scheduler.js";

const log = makeLog("scheduler");

try {
  const configFile = configPath();
  const config = loadConfig(configFile);
  // Fails rather than waits while Redis is away: a tick is worth nothing late, and a request wants an answer.
  const redis = connectRedis(config.redis, true);
  const subscriber = connectRedis(config.redis);
  const unsure = await assertNoEviction(redis);
  if (unsure !== null) log.warn(unsure);
  const scheduler = await startScheduler({ config, configFile, redis, subscriber, registry: makeRegistry(), log });

  let stopping = false;
  const stop = async (signal: string) => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, "stopping");
    await scheduler.close();
    redis.disconnect();
    subscriber.disconnect();
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  process.on("SIGHUP", () => scheduler.reload());
  // Only now: whoever reads this may send a signal.
  log.info({ port: scheduler.port, mode: config.scheduler.mode }, "serving");
  if (config.scheduler.operatorToken === undefined) log.warn("no scheduler.operatorToken: every change is refused");
} catch (error) {
  log.fatal({ err: error }, "cannot start");
  process.exitCode = 1;
  // Connections would keep the process alive.
  leave();
}
