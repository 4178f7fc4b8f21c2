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
 * TCP segments that the workload's peers sent although they had sent them before, after it had spoken again on the same stream: what they had to
 * repair once the blackout was over. What their timers made them send again within it does not count.
 */
export function sentAgainAfterBlackout(frames: readonly Frame[], workload: LabWorkload): number {
  const { end } = blackoutIn(frames, workload);
  const streams = new Map<string, { highest: number; isAnswered: boolean }>();
  let count = 0;
  frames.forEach(({ source, tcp }, index) => {
    if (tcp === undefined) return;
    if (source === workload.macAddress) {
      const stream = streams.get(tcp.ports.split(">").reverse().join(">"));
      if (stream !== undefined && index >= end) stream.isAnswered = true;
      return;
    }
    const next = tcp.sequence + tcp.payloadBytes;
    const stream = streams.get(tcp.ports) ?? { highest: tcp.sequence, isAnswered: false };
    streams.set(tcp.ports, stream);
    // Modulo 2^32: what is less than half of it away is ahead.
    if (((next - stream.highest) | 0) > 0) stream.highest = next >>> 0;
    else if (tcp.payloadBytes > 0 && stream.isAnswered) count += 1;
  });
  return count;
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
