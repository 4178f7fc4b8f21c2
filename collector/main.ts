import Docker from "dockerode";
import { loadConfig } from "../platform/load-config.js";
import { makeRegistry, serveMetrics } from "../platform/metrics.js";
import { connectRedis } from "../platform/redis.js";
import { runMain } from "../platform/run-main.js";
import { startCollector } from "./collect.js";
import { makeCollectorMetrics } from "./metrics.js";

await runMain("collector", async (rootLog) => {
  const config = loadConfig();
  const log = rootLog.child({ node: config.node.id });
  const redis = connectRedis(config.redis, true);
  const metrics = makeCollectorMetrics(makeRegistry());
  const docker = new Docker({ socketPath: config.node.dockerSocket });
  const collector = startCollector({ config, redis, docker, metrics, log });
  const server = await serveMetrics(metrics.registry, config.collector.metricsPort, "0.0.0.0", async () => collector.health());

  const stop = async (signal: string) => {
    log.info({ signal }, "stopping");
    await collector.close();
    await server.close();
    redis.disconnect();
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
  log.info({ metricsPort: server.port }, "collecting");
});
