import { useEffect, useState } from "preact/hooks";
import type { MigrationRecord } from "../../../platform/migration-record.js";
import type { Answers, NodeAnswer, StatusAnswer, WorkloadAnswer } from "../../api-shapes.js";
import type { PublishedPlan } from "../../plan-store.js";
import { ask } from "./ask.js";
import type { Heard } from "./judge-freshness.js";

export interface FleetNow extends Heard {
  readonly status: StatusAnswer | null;
  readonly nodes: readonly NodeAnswer[];
  readonly workloads: readonly WorkloadAnswer[];
  readonly migrations: readonly MigrationRecord[];
  readonly plan: PublishedPlan | null;
}

const NOTHING: FleetNow = {
  status: null,
  nodes: [],
  workloads: [],
  migrations: [],
  plan: null,
  heardAt: null,
  readAt: null,
  shownAt: 0,
};
const MIGRATIONS_SHOWN = 50;
const HISTORY_POINTS = 150;
/** In a fleet above this size histories would be most of the traffic. */
const HISTORY_NODES = 60;
const REOPEN_MILLISECONDS = 2000;

/** The fleet, kept fresh by the scheduler's events; holds on to what was last heard while it cannot be reached. */
export function useFleet(): FleetNow {
  const [fleet, setFleet] = useState(NOTHING);
  useEffect(() => watchFleet((change) => setFleet((before) => ({ ...before, ...change(before) }))), []);
  return fleet;
}

type Change = (before: FleetNow) => Partial<FleetNow>;

function watchFleet(apply: (change: Change) => void): () => void {
  let source: EventSource | null = null;
  let reopening: ReturnType<typeof setTimeout> | undefined;
  let reading = false;
  let readAgain = false;
  let nodeCount = 0;
  let closed = false;

  const heard = (change: Partial<FleetNow>) => apply(() => ({ ...change, heardAt: Date.now() }));
  const read = async () => {
    if (reading) {
      readAgain = true;
      return;
    }
    reading = true;
    do {
      readAgain = false;
      try {
        const history = nodeCount > HISTORY_NODES ? 0 : HISTORY_POINTS;
        const [{ nodes }, { workloads }, { plan }, { migrations }] = await Promise.all([
          ask<Answers["nodes"]>("GET", `/nodes?history=${history}`),
          ask<Answers["workloads"]>("GET", "/workloads"),
          ask<Answers["plan"]>("GET", "/plan"),
          ask<Answers["migrations"]>("GET", `/migrations?limit=${MIGRATIONS_SHOWN}`),
        ]);
        nodeCount = nodes.length;
        heard({ nodes, workloads, plan, migrations, readAt: Date.now() });
      } catch {
        // The next event is the time to try again; until then the old picture stands, and the page says how old it is.
      }
    } while (readAgain && !closed);
    reading = false;
  };
  const open = () => {
    source = new EventSource("/api/v1/events");
    source.addEventListener("status", (event) => {
      heard({ status: JSON.parse(event.data) as StatusAnswer });
      void read();
    });
    source.addEventListener("changed", () => void read());
    source.addEventListener("migration", (event) => {
      const record = JSON.parse(event.data) as MigrationRecord;
      apply(({ migrations }) => ({ migrations: replaceRecord(migrations, record), heardAt: Date.now() }));
      if (record.closedAt !== null) void read();
    });
    source.onerror = () => {
      // The browser reconnects by itself, unless the answer was no event stream at all.
      if (source?.readyState !== EventSource.CLOSED) return;
      clearTimeout(reopening);
      reopening = setTimeout(open, REOPEN_MILLISECONDS);
    };
  };
  const leave = () => {
    clearTimeout(reopening);
    source?.close();
  };
  // A browser has six connections for all tabs on one scheduler, and a stream takes one: those of tabs that nobody sees would leave none to ask by.
  const follow = () => {
    leave();
    if (document.visibilityState === "hidden") return;
    apply(() => ({ shownAt: Date.now() }));
    open();
  };
  document.addEventListener("visibilitychange", follow);
  follow();
  return () => {
    closed = true;
    document.removeEventListener("visibilitychange", follow);
    leave();
  };
}

function replaceRecord(migrations: readonly MigrationRecord[], record: MigrationRecord): readonly MigrationRecord[] {
  const others = migrations.filter(({ id }) => id !== record.id);
  return [...others, record].sort((a, b) => b.createdAt - a.createdAt);
}

/** Seconds now, renewed every second, for ages that grow while nothing is heard. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const renew = () => setNow(Date.now());
    const timer = setInterval(renew, 1000);
    // Of a hidden page the browser lets timers run late.
    document.addEventListener("visibilitychange", renew);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", renew);
    };
  }, []);
  return now / 1000;
}
