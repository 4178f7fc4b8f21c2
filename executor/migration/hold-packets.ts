import type { Held } from "./migration.js";

/** The answer takes milliseconds. Packets that are lost are sent again; a workload that stands still for longer is worse. */
const STEER_DEADLINE_SECONDS = 0.5;

/**
 * Has the destination keep what is sent to the workload. Returns what draws the traffic there, to be done when the workload stands still.
 * Where it cannot be had the move goes on without it.
 */
export async function holdPackets({ peer, record, log }: Held): Promise<() => Promise<void>> {
  const { holds } = await peer.hold(record.id).catch((error: unknown) => {
    log.warn({ error: String(error) }, "the destination could not prepare to hold packets");
    return { holds: false };
  });
  if (!holds) return async () => {};
  return async () => {
    const steered = peer.steer(record.id).catch((error: unknown) => log.warn({ error: String(error) }, "the traffic was not drawn away"));
    await Promise.race([steered, new Promise((resolve) => setTimeout(resolve, STEER_DEADLINE_SECONDS * 1000))]);
  };
}
