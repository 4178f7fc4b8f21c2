import type { Logger } from "../platform/log.js";
import type { NodeIdentity, NodeSample } from "./protocol.js";

export interface Announcer {
  /**
   * Reads the identity beside the sampling when it is due: at first, after `again`, when the node's size or its networks differ, and at times.
   * @param networks null = not known, which is no reason to forget those that were
   */
  see(sample: NodeSample, networks: readonly string[] | null): void;
  /** Redis may have lost it. */
  again(): void;
  close(): Promise<void>;
}

export interface AnnouncerOptions {
  readonly intervalSeconds: number;
  readonly log: Logger;
  read(sample: NodeSample, networks: readonly string[] | null): Promise<NodeIdentity>;
  announce(identity: NodeIdentity): void;
}

export function makeAnnouncer({ intervalSeconds, log, read, announce }: AnnouncerOptions): Announcer {
  let announced: NodeIdentity | null = null;
  let announcedAt = 0;
  let running: Promise<void> | null = null;

  const isDue = (sample: NodeSample, networks: readonly string[] | null) =>
    announced === null ||
    announced.engine === null ||
    announced.cpuCapacityCores !== sample.cpuCapacityCores ||
    announced.memoryCapacityBytes !== sample.memoryCapacityBytes ||
    (networks !== null && networks.join() !== announced.networks?.join()) ||
    performance.now() - announcedAt > intervalSeconds * 1000;

  const run = async (sample: NodeSample, networks: readonly string[] | null) => {
    try {
      announced = await read(sample, networks ?? announced?.networks ?? null);
      announcedAt = performance.now();
      announce(announced);
    } catch (error) {
      log.warn({ err: error }, "the node's identity could not be read");
    } finally {
      running = null;
    }
  };

  return {
    see(sample, networks) {
      if (isDue(sample, networks)) running ??= run(sample, networks);
    },
    again() {
      announced = null;
    },
    async close() {
      await running;
    },
  };
}
