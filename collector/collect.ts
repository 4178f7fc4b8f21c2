import type Docker from "dockerode";
import type { Redis } from "ioredis";
import { nowSeconds } from "../platform/clock.js";
import type { Config } from "../platform/config.js";
import { makeKeys } from "../platform/keys.js";
import type { Logger } from "../platform/log.js";
import { makeAnnouncer } from "./announcer.js";
import { monotonicSeconds } from "./counter.js";
import { makePattern, pushPattern } from "./daily-pattern.js";
import { countOoms, dockerFolders, rememberLimited } from "./health/engine-facts.js";
import { watchHealth } from "./health/watch-health.js";
import type { CollectorMetrics } from "./metrics.js";
import { makeProbe } from "./probe.js";
import { makePublisher } from "./publisher.js";
import { pushSample } from "./push-sample.js";
import { readIdentity } from "./read-identity.js";
import { runEvery } from "./run-every.js";
import { makeSampler } from "./sampler.js";
import { type WatchTimes, watchContainers } from "./watch-containers.js";

/** What the identity tells changes seldom; it is written again this often in case Redis has lost it. */
const IDENTITY_SECONDS = 300;

export interface CollectorParts {
  readonly config: Config;
  readonly redis: Redis;
  readonly docker: Docker;
  readonly metrics: CollectorMetrics;
  readonly log: Logger;
  readonly root?: string;
  readonly watchTimes?: WatchTimes;
}

export interface Collector {
  /** Null when well, else what is wrong. */
  health(): string | null;
  close(): Promise<void>;
}

/** Samples until closed. Needs nothing but its node: without Redis or Docker it goes on and says so. */
export function startCollector({ config, redis, docker, metrics, log, root, watchTimes }: CollectorParts): Collector {
  const { intervalSeconds, sampleTtlSeconds, historyLength, maintenanceFile, cordonFile } = config.collector;
  const keys = makeKeys(config.redis.prefix);
  const closing = new AbortController();
  const containers = watchContainers(docker, log, watchTimes);
  const memoryLimited = rememberLimited(containers.oomEvents);
  const health = watchHealth({
    written: async () => [...(await dockerFolders(docker)), config.executor.stateDirectory],
    oomCounts: () => countOoms(containers.oomEvents(), memoryLimited.ids),
  });
  const takeSample = makeSampler({
    node: config.node.id,
    maintenanceFile,
    cordonFile,
    containers,
    health: health.current,
    ...(root === undefined ? {} : { root }),
  });
  const pattern = makePattern();
  let pushedAt: number | null = null;
  let isFailing = false;

  const publisher = makePublisher({
    push: (sample, identity) => pushSample(redis, keys, { sampleTtlSeconds, historyLength }, sample, identity),
    timeoutSeconds: sampleTtlSeconds / 2,
    abandon: () => redis.disconnect(true),
    onFailure(error) {
      metrics.pushFailed();
      if (!isFailing) log.warn({ err: error }, "samples do not reach Redis");
      isFailing = true;
    },
    onSuccess(sample) {
      metrics.pushed(sample);
      pushedAt = performance.now();
      if (isFailing) log.info("samples reach Redis again");
      isFailing = false;
    },
  });
  const announcer = makeAnnouncer({
    intervalSeconds: IDENTITY_SECONDS,
    log,
    announce: publisher.announce,
    read: (sample, networks) => {
      const peerAddress = `${config.node.peerHost}:${config.executor.peerPort}`;
      return readIdentity({ node: config.node.id, peerAddress, labels: config.node.labels, docker, networks }, sample);
    },
  });
  const onReady = () => {
    announcer.again();
    publisher.flush();
  };
  redis.on("ready", onReady);

  const sampleOnce = async () => {
    const stopTimer = metrics.duration.startTimer();
    const { sample, isPublishable, traffic, failures } = await takeSample();
    stopTimer();
    for (const failure of failures) metrics.failedRead(failure);
    if (failures.length > 0) log.debug({ failures }, "some readings failed");
    metrics.addTraffic(traffic);
    metrics.show(sample);
    if (sample !== null) memoryLimited.see(sample.workloads, monotonicSeconds());
    if (sample === null || !isPublishable) return;
    publisher.offer(sample);
    const halfHour = pattern.add(sample);
    if (halfHour !== null) {
      pushPattern(redis, keys, config.node.id, halfHour).catch((error: unknown) =>
        log.warn({ err: error }, "half an hour of the day is lost"),
      );
    }
    announcer.see(sample, containers.networks());
  };
  const sampleSafely = () => sampleOnce().catch((error: unknown) => log.error({ err: error }, "sampling failed"));
  const lookOnce = async () => {
    const probe = makeProbe(root);
    await health.look(probe, { at: nowSeconds(), seconds: monotonicSeconds() });
    for (const failure of probe.failures) metrics.failedRead(failure);
  };
  const lookSafely = () => lookOnce().catch((error: unknown) => log.error({ err: error }, "looking for signs of failing failed"));
  const looking = runEvery(config.collector.healthSeconds, lookSafely, closing.signal);
  const sampling = runEvery(intervalSeconds, sampleSafely, closing.signal);

  return {
    health() {
      if (pushedAt === null) return "no sample has reached Redis yet";
      const silentSeconds = (performance.now() - pushedAt) / 1000;
      return silentSeconds > sampleTtlSeconds ? `no sample has reached Redis for ${Math.round(silentSeconds)} s` : null;
    },
    async close() {
      closing.abort();
      redis.off("ready", onReady);
      await Promise.all([sampling, looking, containers.close(), announcer.close()]);
      await publisher.close();
    },
  };
}
