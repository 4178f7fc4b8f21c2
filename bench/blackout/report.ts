import Table from "cli-table3";
import type { LabKind } from "../../lab/lab.js";
import type { EvenkeelCase } from "./evenkeel.js";
import type { FloorCase } from "./floor.js";
import type { PeerCase } from "./peers.js";
import type { Spread } from "./statistics.js";

export interface Machine {
  readonly cores: number;
  readonly kernel: string;
  readonly memoryBytes: number;
  /** Average of the last minute. Above the number of cores, others worked on the machine too, and every figure below is larger for it. */
  readonly loadBefore: number;
  readonly loadAfter: number;
}

export interface Measurements {
  readonly kind: LabKind;
  readonly machine: Machine;
  readonly floor: FloorCase | null;
  readonly evenkeel: readonly EvenkeelCase[];
  readonly podman: PeerCase | null;
  /** podman told not to compress its archive. */
  readonly podmanUncompressed: PeerCase | null;
  readonly docker: PeerCase | null;
  /** Of the mode with the shortest gap at the peers' size. */
  readonly ratios: Ratios;
  readonly ratiosByMode: Readonly<Record<string, Ratios>>;
  /** What was asked for and could not be measured, in words. */
  readonly failures: readonly string[];
}

/** Of medians of client-observed gaps; null where one of the two is missing. */
export interface Ratios {
  /** Which of our modes it is about; null when none was measured. */
  readonly mode: string | null;
  /** Gap at 1 GiB / time of the bare tools for an empty container. */
  readonly oneGiBToFloor: number | null;
  readonly fourGiBTo64MiB: number | null;
  /** Of the largest and the smallest size that were measured. */
  readonly largestToSmallest: number | null;
  /** The peer's gap at its size / ours at that size. */
  readonly podmanToOurs: number | null;
  readonly dockerToOurs: number | null;
}

type Measured = Pick<Measurements, "floor" | "evenkeel" | "podman" | "docker">;

/** Modes that were measured, the one with the shortest gap at the peers' size (else at the largest) first. */
export function modesOf(evenkeel: readonly EvenkeelCase[], peerSizeMiB: number): string[] {
  const largest = Math.max(...evenkeel.map((one) => one.sizeMiB));
  const size = evenkeel.some((one) => one.sizeMiB === peerSizeMiB) ? peerSizeMiB : largest;
  const gap = (mode: string) => evenkeel.find((one) => one.mode === mode && one.sizeMiB === size)?.gapSeconds.median ?? Number.MAX_VALUE;
  return [...new Set(evenkeel.map((one) => one.mode))].sort((a, b) => gap(a) - gap(b));
}

export function ratiosOf({ floor, evenkeel, podman, docker }: Measured, mode: string | null): Ratios {
  const own = evenkeel.filter((one) => one.mode === mode);
  const sizes = own.map((one) => one.sizeMiB).sort((a, b) => a - b);
  const gapAt = (sizeMiB: number) => own.find((one) => one.sizeMiB === sizeMiB)?.gapSeconds.median;
  const ratio = (above: number | undefined, below: number | undefined) =>
    above === undefined || below === undefined ? null : above / below;
  const peer = (one: PeerCase | null) => (one === null ? null : ratio(one.gapSeconds.median, gapAt(one.sizeMiB)));
  return {
    mode,
    oneGiBToFloor: ratio(gapAt(1024), floor?.seconds.median),
    fourGiBTo64MiB: ratio(gapAt(4096), gapAt(64)),
    largestToSmallest: own.length < 2 ? null : ratio(gapAt(sizes.at(-1) ?? 0), gapAt(sizes[0] ?? 0)),
    podmanToOurs: peer(podman),
    dockerToOurs: peer(docker),
  };
}

export function measurementsTable(measured: Measurements): string {
  const table = new Table({
    head: ["", "MiB", "runs", "gap s", "blackout or commands s", "connection", "wrong", "MB sent"],
    style: { head: [], border: [], compact: true },
  });
  const { floor, evenkeel } = measured;
  if (floor !== null) table.push(["bare runc, empty container", 0, floor.runs, "", inWords(floor.seconds), "", "", ""]);
  for (const one of evenkeel) {
    const sent = Object.values(one.bytes).reduce((sum, bytes) => sum + bytes, 0) / 1e6;
    const name = one.modeUsed === one.mode ? `evenkeel ${one.mode}` : `evenkeel ${one.mode} (${one.modeUsed})`;
    table.push([
      name,
      one.sizeMiB,
      one.runs,
      inWords(one.gapSeconds),
      inWords(one.blackoutSeconds),
      kept(one),
      one.wrongAnswers,
      sent.toFixed(0),
    ]);
  }
  const peer = (name: string, one: PeerCase | null) => {
    if (one === null) return;
    table.push([name, one.sizeMiB, one.runs, inWords(one.gapSeconds), inWords(one.commandSeconds), kept(one), one.wrongAnswers, ""]);
  };
  peer("podman export + import", measured.podman);
  peer("podman, uncompressed", measured.podmanUncompressed);
  peer("docker checkpoint + start", measured.docker);
  const { cores, loadBefore, loadAfter } = measured.machine;
  const ratios = Object.entries(measured.ratiosByMode).map(([mode, each]) => {
    const words = Object.entries(each).map(([name, value]) => `${name} ${typeof value === "number" ? value.toFixed(2) : "not measured"}`);
    return `${mode}: ${words.slice(1).join(" · ")}`;
  });
  return [
    table.toString(),
    `${cores} cores, load ${loadBefore.toFixed(1)} before and ${loadAfter.toFixed(1)} after`,
    ...ratios,
    ...measured.failures.map((words) => `not measured: ${words}`),
  ].join("\n");
}

const inWords = ({ median, min, max }: Spread) => `${median.toFixed(3)} (${min.toFixed(3)}-${max.toFixed(3)})`;
const kept = ({ connectionKept }: { connectionKept: boolean }) => (connectionKept ? "kept" : "lost");
