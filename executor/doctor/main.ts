import { nowSeconds } from "../../platform/clock.js";
import { loadConfig } from "../../platform/load-config.js";
import { connectRedis } from "../../platform/redis.js";
import { connectDocker } from "../engine/docker/docker-host.js";
import { readEngineFacts } from "../engine/docker/engine-facts.js";
import { findHoldMeans } from "../engine/docker/packet-hold.js";
import { checkNode } from "../preflight/check-node.js";
import { gatherFacts } from "../preflight/gather-facts.js";
import { readRedisFacts } from "../preflight/redis-facts.js";

/** `evenkeel doctor --local`: the checks of this node as JSON, with nothing of Evenkeel running. */
const config = loadConfig();
const redis = connectRedis(config.redis, true);
const host = connectDocker(config.node.dockerSocket);
const facts = await gatherFacts({
  node: config.node.id,
  runDirectory: config.executor.runDirectory,
  tls: config.executor.tls,
  packetHold: await findHoldMeans(config.executor.holdPackets),
  engine: () => readEngineFacts(host),
  redis: () => readRedisFacts(redis),
});
redis.disconnect();
process.stdout.write(JSON.stringify({ node: config.node.id, checks: checkNode(facts, nowSeconds()) }));
