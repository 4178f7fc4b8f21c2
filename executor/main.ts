import { mkdir } from "node:fs/promises";
import { nodeIdentitySchema } from "../collector/protocol.js";
import { EvenkeelError } from "../platform/errors.js";
import { makeKeys } from "../platform/keys.js";
import { leave } from "../platform/leave.js";
import { loadConfig } from "../platform/load-config.js";
import { makeRegistry, serveMetrics } from "../platform/metrics.js";
import { assertNoEviction, connectRedis } from "../platform/redis.js";
import { runMain } from "../platform/run-main.js";
import { readTls } from "../platform/tls.js";
import { answerQuestions } from "./answer-questions.js";
import { checkCriu, registerActionScript } from "./criu-setup.js";
import { connectDocker } from "./engine/docker/docker-host.js";
import { readEngineFacts } from "./engine/docker/engine-facts.js";
import { findHoldMeans } from "./engine/docker/packet-hold.js";
import { makeDockerSource } from "./engine/docker/source.js";
import { makeDockerTarget } from "./engine/docker/target.js";
import { makeImageRoom } from "./image-room.js";
import { makeExecutorMetrics } from "./metrics.js";
import type { Surroundings } from "./migration/migration.js";
import { keepArrivals } from "./peer/arrivals.js";
import { connectPeer } from "./peer/client.js";
import { compareCpus } from "./peer/compare-cpus.js";
import { makeIncoming } from "./peer/incoming.js";
import { reportPeers } from "./peer/report-peers.js";
import { servePeers } from "./peer/server.js";
import { tidyIncoming } from "./peer/tidy-incoming.js";
import { makeCpuCheck } from "./preflight/cpu.js";
import { examine } from "./preflight/examine.js";
import { makeNodeProbe } from "./preflight/node-probe.js";
import { readRedisFacts } from "./preflight/redis-facts.js";
import { startWorker } from "./worker.js";

const WAIT_NOTE_SECONDS = 5;

await runMain("executor", async (rootLog) => {
  const config = loadConfig();
  const node = config.node.id;
  const log = rootLog.child({ node });
  const redis = connectRedis(config.redis);
  // Without the password that may be in it.
  const redisAt = new URL(config.redis.url);
  let state: string | null = "Redis does not answer";
  const registry = makeRegistry();
  const metrics = makeExecutorMetrics(registry);
  const metricsServer = await serveMetrics(registry, config.executor.metricsPort, "0.0.0.0", async () => state);
  const waiting = setInterval(
    () => log.warn({ redis: redisAt.host || redisAt.pathname }, "waiting for Redis to answer"),
    WAIT_NOTE_SECONDS * 1000,
  );
  const unsure = await assertNoEviction(redis);
  clearInterval(waiting);
  if (unsure !== null) log.warn(unsure);
  state = null;
  await registerActionScript();
  const criuTrouble = await checkCriu();
  if (criuTrouble !== null) log.error({ criu: criuTrouble }, "criu does not work here; nothing can be moved from or to this node");
  const keys = makeKeys(config.redis.prefix);
  const tls = readTls(config.executor.tls);
  const host = connectDocker(config.node.dockerSocket);
  const { runDirectory, stateDirectory } = config.executor;

  await mkdir(runDirectory, { recursive: true, mode: 0o700 });
  const hold = await findHoldMeans(config.executor.holdPackets);
  if (hold.means === null)
    log.warn({ reason: hold.reason }, "packets cannot be held here while a workload comes in; clients will send them again");
  const cpu = makeCpuCheck(runDirectory);
  const probe = makeNodeProbe(
    {
      node,
      runDirectory,
      tls: config.executor.tls,
      packetHold: hold,
      engine: () => readEngineFacts(host),
      redis: () => readRedisFacts(redis),
    },
    cpu,
  );
  const target = makeDockerTarget(host, { firstPort: config.executor.pagePort, tls: config.executor.tls }, hold);
  const { bandwidthBytesPerSecond, capsFreeze, compression, imageBudgetBytes, signOfLifeSeconds } = config.executor;
  const room = makeImageRoom(node, runDirectory, imageBudgetBytes ?? null);
  const pace = bandwidthBytesPerSecond === undefined ? null : { bytesPerSecond: bandwidthBytesPerSecond, freeAt: 0 };
  const arrivals = keepArrivals(stateDirectory);
  const incoming = makeIncoming({ node, runDirectory, arrivals, engine: target, room, redis, keys, log, probe });
  const surroundings: Surroundings = {
    node,
    runDirectory,
    stateDirectory,
    engine: makeDockerSource(host),
    room,
    streams: { pace, capsFreeze, compression },
    inHand: new Set(),
    redis,
    keys,
    log,
    probe,
    pagesTls: config.executor.tls,
    connect: async (peer) => {
      const identity = nodeIdentitySchema.safeParse(JSON.parse((await redis.get(keys.nodeIdentity(peer))) ?? "null"));
      if (!identity.success) throw new EvenkeelError("NODE_UNKNOWN", `${peer} has never said where its executor is`);
      return connectPeer(identity.data.peerAddress, peer, tls, signOfLifeSeconds);
    },
  };

  const tidying = tidyIncoming({ incoming, arrivals, redis, keys, log, node });
  const peers = await servePeers(incoming, tls, { port: config.executor.peerPort, log });
  const reports = reportPeers({ node, redis, keys, log, connect: surroundings.connect, compareCpus: compareCpus({ cpu, redis, keys }) });
  const worker = startWorker(surroundings, metrics, redis, config.executor.concurrency);
  const questions = answerQuestions({ redis, keys, node, log }, (question) => examine(surroundings, question));

  const stop = async () => {
    questions.close();
    tidying.stop();
    await reports.close();
    await worker.close();
    await peers.close();
    await metricsServer.close();
    redis.disconnect();
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void stop().finally(() => leave(0)));
  log.info({ peerPort: peers.port, metricsPort: metricsServer.port, packetHold: hold.means }, "executor ready");
});
