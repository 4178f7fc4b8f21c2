import type { Logger } from "../platform/log.js";
import type { NodeIdentity, NodeSample } from "./protocol.js";

export interface Announcer {
  /** Reads the identity beside the sampling when it is due: at first, after `again`, when the node's size differs, and at times. */
  see(sample: NodeSample): void;
  /** Redis may have lost it. */
  again(): void;
  close(): Promise<void>;
}

export interface AnnouncerOptions {
  readonly intervalSeconds: number;
  readonly log: Logger;
  read(sample: NodeSample): Promise<NodeIdentity>;
  announce(identity: NodeIdentity): void;
}

export function makeAnnouncer({ intervalSeconds, log, read, announce }: AnnouncerOptions): Announcer {
  let announced: NodeIdentity | null = null;
  let announcedAt = 0;
  let running: Promise<void> | null = null;

  const isDue = (sample: NodeSample) =>
    announced === null ||
    announced.engine === null ||
    announced.cpuCapacityCores !== sample.cpuCapacityCores ||
    announced.memoryCapacityBytes !== sample.memoryCapacityBytes ||
    performance.now() - announcedAt > intervalSeconds * 1000;

  const run = async (sample: NodeSample) => {
    try {
      announced = await read(sample);
      announcedAt = performance.now();
      announce(announced);
    } catch (error) {
      log.warn({ err: error }, "the node's identity could not be read");
    } finally {
      running = null;
    }
  };

  return {
    see(sample) {
      if (isDue(sample)) running ??= run(sample);
    },
    again() {
      announced = null;
    },
    async close() {
      await running;
    },
  };
}
