import { useEffect, useState } from "preact/hooks";
import type { MigrationRecord } from "../../../platform/migration-record.js";
import type { Answers, NodeAnswer, StatusAnswer, WorkloadAnswer } from "../../api-shapes.js";
import type { PublishedPlan } from "../../plan-store.js";
import { ask } from "./ask.js";

export interface FleetNow {
  readonly status: StatusAnswer | null;
  readonly nodes: readonly NodeAnswer[];
  readonly workloads: readonly WorkloadAnswer[];
  readonly migrations: readonly MigrationRecord[];
  readonly plan: PublishedPlan | null;
  /** Epoch milliseconds of the last word from the scheduler; null before the first. */
  readonly heardAt: number | null;
}

const NOTHING: FleetNow = { status: null, nodes: [], workloads: [], migrations: [], plan: null, heardAt: null };
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
        heard({ nodes, workloads, plan, migrations });
      } catch {
        // The event stream shows soon enough whether the scheduler is gone; until then the old picture stands, and says how old it is.
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
  open();
  return () => {
    closed = true;
    clearTimeout(reopening);
    source?.close();
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
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now / 1000;
}
