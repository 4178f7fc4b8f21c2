import { nowSeconds } from "../../platform/clock.js";
import type { Address } from "./connection.js";
import { keepAsking } from "./keep-asking.js";
import { Observed } from "./observed.js";
import type { GapAnswer, Report } from "./report.js";
import { PARTNERS, type Partner, type Target } from "./targets.js";

export interface Clients {
  report(): Report;
  /** Null when there is no such workload. Times are epoch seconds. */
  gapsBetween(workload: string, since: number, until: number): GapAnswer | null;
  /** Resolves once the workload has agreed; null when no such workload burns on demand. */
  burn(workload: string, percent: number): Promise<void> | null;
  /** Closes all connections; none of this counts as a loss. */
  close(): Promise<void>;
}

/** One client for each target, at work at once. */
export function startClients(targets: readonly Target[], { pauseMs = 40 }: { readonly pauseMs?: number } = {}): Clients {
  const talks = targets.map(({ workload, protocol, host, port }) => ({ workload, address: { host, port }, partner: PARTNERS[protocol]() }));
  return startTalks(talks, pauseMs);
}

/** What one client does, under the name by which its report calls it. */
export interface Talk {
  readonly workload: string;
  readonly address: Address;
  readonly partner: Partner;
}

export function startTalks(talks: readonly Talk[], pauseMs: number): Clients {
  const stop = new AbortController();
  const clients = talks.map(({ workload, address, partner }) => {
    const observed = new Observed(workload);
    const done = keepAsking({ address, call: partner.call, observed, pauseMs }, stop.signal);
    return { workload, partner, observed, done };
  });
  const find = (workload: string) => clients.find((client) => client.workload === workload);
  return {
    report() {
      const at = nowSeconds();
      return { at, clients: clients.map(({ observed }) => observed.report(at)) };
    },
    gapsBetween: (workload, since, until) => find(workload)?.observed.gapsBetween(since, until, nowSeconds()) ?? null,
    burn: (workload, percent) => find(workload)?.partner.burn?.(percent) ?? null,
    async close() {
      stop.abort();
      await Promise.all(clients.map(({ done }) => done));
    },
  };
}
