import { join } from "node:path";
import { clientsAt } from "../../lab/clients/read-report.js";
import type { ClientReport, GapAnswer } from "../../lab/clients/report.js";
import { waitFor } from "../../lab/deadline.js";
import type { Lab } from "../../lab/lab.js";

const SOCKET = "bench-client.sock";
const PROGRAM = "/opt/evenkeel/dist/bench/blackout/client.js";
/** A holder of 4 GiB first writes all of it. */
const ANSWER_DEADLINE_SECONDS = 120;
/** More would overflow the socket's queue of callers. */
const ASKED_AT_ONCE = 50;

/** A client outside the fleet that asks all the time over connections it never opens twice unless it loses them. */
export interface Observer {
  /** The longest wait for an answer in that time (epoch seconds), over all connections, and whether none was lost. */
  between(since: number, until: number): Promise<{ gapSeconds: number; connectionKept: boolean }>;
  reports(): Promise<readonly ClientReport[]>;
  /** Ends the client and gives what it saw last. */
  stop(): Promise<readonly ClientReport[]>;
}

export async function observe(
  lab: Lab,
  target: { address: string; port: number; connections?: number; pauseMs?: number },
): Promise<Observer> {
  const { address, port, connections = 1, pauseMs = 2 } = target;
  const flags = { host: address, port, report: `/shared/${SOCKET}`, connections, "pause-ms": pauseMs };
  const words = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const service = await lab.clients.spawn(["node", PROGRAM, ...words], { name: "bench-client" });
  const clients = clientsAt(join(lab.sharedDirectory, SOCKET));
  const reports = async () => (await clients.report()).clients;
  await waitFor(`${connections} connections to ${address} to have an answer`, ANSWER_DEADLINE_SECONDS, async () => {
    const seen = await reports().catch(() => null);
    return seen?.every((client) => client.requests > 0);
  });
  return {
    reports,
    between: async (since, until) => {
      const seen: GapAnswer[] = [];
      for (let first = 0; first < connections; first += ASKED_AT_ONCE) {
        const numbers = Array.from({ length: Math.min(ASKED_AT_ONCE, connections - first) }, (_, index) => first + index);
        seen.push(...(await Promise.all(numbers.map((number) => clients.gaps(`connection-${number}`, since, until)))));
      }
      return {
        gapSeconds: Math.max(...seen.map((each) => each.longestGapSeconds)),
        connectionKept: seen.every((each) => each.connectionKept),
      };
    },
    stop: async () => {
      const last = await reports();
      await service.kill();
      return last;
    },
  };
}
