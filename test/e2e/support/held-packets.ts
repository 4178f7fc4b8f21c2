import type { LabWorkload } from "../../../lab/workloads/workload-table.js";
import type { Frame } from "./capture.js";

/** Whether a frame is a gratuitous ARP for the workload from its own MAC. */
export const announcesFrom =
  ({ macAddress, address }: LabWorkload) =>
  (frame: Frame): boolean =>
    frame.kind === "arp" && frame.source === macAddress && frame.arp!.gratuitous && frame.arp!.senderIpv4 === address;

/** The longest stretch of the capture without a TCP frame from the workload, as indices: the last one before it and the first one after it. */
function blackoutIn(frames: readonly Frame[], workload: LabWorkload): { begin: number; end: number } {
  let [begin, end, since] = [0, 0, 0];
  frames.forEach((frame, index) => {
    if (frame.tcp === undefined || frame.source !== workload.macAddress) return;
    if (index - since > end - begin) [begin, end] = [since, index];
    since = index;
  });
  return { begin, end };
}

/**
 * The datagrams that a client sent after its traffic had been drawn to the destination, from the first gratuitous ARP in the blackout on.
 * @throws when there is no such ARP
 */
export function sentAfterTurn(frames: readonly Frame[], workload: LabWorkload): number[] {
  const { begin, end } = blackoutIn(frames, workload);
  const turn = frames.slice(begin, end).findIndex(announcesFrom(workload));
  if (turn < 0) throw new Error("no gratuitous ARP in the blackout");
  return frames.slice(begin + turn).flatMap((frame) => (frame.kind === "udp" ? [Number(frame.payload)] : []));
}

/** What has not arrived of what was sent, and what arrived out of its turn or twice. */
export function misdelivered(sent: readonly number[], received: readonly number[]): string[] {
  const there = new Set(received);
  return [
    ...sent.filter((number) => !there.has(number)).map((number) => `${number} did not arrive`),
    ...received.flatMap((number, index) => (index > 0 && number <= received[index - 1]! ? [`${number} after ${received[index - 1]}`] : [])),
  ];
}
