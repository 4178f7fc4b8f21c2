import type { Redis } from "ioredis";
import type { NodeReport } from "../../executor/protocol.js";
import { EvenkeelError } from "../../platform/errors.js";
import { type Check, finding } from "../../platform/findings.js";
import type { Keys } from "../../platform/keys.js";
import type { DoctorAnswer } from "../api-shapes.js";
import type { NodeReading } from "../fleet/read-nodes.js";
import { askExecutors } from "./ask-executors.js";

/** Below the patience of `evenkeel` itself. */
const PATIENCE_SECONDS = 30;
/** With more nodes than this each is compared with some of the others only: all pairs would keep a large fleet busy. */
const ALL_PAIRS_NODES = 24;
const PEERS_IN_LARGE_FLEET = 8;

/** Asks each of the nodes about itself and about its way to the others of them. */
export async function examineFleet(redis: Redis, keys: Keys, nodes: readonly NodeReading[]): Promise<DoctorAnswer> {
  const ids = nodes.map(({ id }) => id).sort();
  const questions = ids.map((node) => ({ node, question: { kind: "doctor" as const, peers: peersOf(node, ids) } }));
  const answers = await askExecutors<NodeReport>(redis, keys, questions, PATIENCE_SECONDS);
  const reports = ids.map((node, index) => ({ node, report: answers[index]! }));
  const readings = new Map(nodes.map((reading) => [reading.id, reading]));
  return {
    nodes: reports.map(({ node, report }) => {
      const collector = checkCollector(readings.get(node)!);
      if (report === null || report instanceof EvenkeelError) {
        const message = report === null ? "nobody took the question, or no answer came" : report.message;
        return {
          node,
          checks: [collector, { topic: "executor", status: "fail", finding: finding("executor-silent", message) }],
          modes: [],
        };
      }
      return { node, checks: [collector, { topic: "executor", status: "ok", found: "answers" }, ...report.checks], modes: report.modes };
    }),
    pairs: reports.flatMap(({ node, report }) =>
      report === null || report instanceof EvenkeelError ? [] : report.pairs.map(({ to, findings }) => ({ from: node, to, findings })),
    ),
    pairsInAll: ids.length * (ids.length - 1),
  };
}

function peersOf(node: string, ids: readonly string[]): string[] {
  if (ids.length <= ALL_PAIRS_NODES) return ids.filter((id) => id !== node);
  const at = ids.indexOf(node);
  return Array.from({ length: PEERS_IN_LARGE_FLEET }, (_, step) => ids[(at + step + 1) % ids.length]!);
}

function checkCollector({ sample, trouble }: NodeReading): Check {
  if (sample !== null) return { topic: "collector", status: "ok", found: "reports" };
  return { topic: "collector", status: "fail", finding: finding("collector-silent", trouble ?? "it has never reported") };
}
