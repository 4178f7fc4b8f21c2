import { Command, InvalidArgumentError, Option } from "commander";
import type { LabKind } from "../../lab/lab.js";

const PEERS = ["docker", "podman", "floor"] as const;
const MODES = ["auto", "auto+postcopy", "precopy", "stopcopy", "postcopy", "cold"];

export interface Options {
  readonly kind: LabKind;
  readonly sizes: readonly number[];
  readonly modes: readonly string[];
  readonly runs: number;
  /** Of its memory the workload rewrites so much a second. */
  readonly percent: number;
  readonly peers: readonly string[];
  /** MiB: 1 GiB where that is asked for, else the largest size below. */
  readonly peerSize: number;
  readonly json: boolean;
}

/** Reads the command line; wrong usage ends the process with 2. */
export function readOptions(): Options {
  const flags = new Command("bench:blackout")
    .description(
      "How long a workload under load is gone when it moves: Evenkeel, podman and Docker's own checkpoint, and the bare tools on an empty\ncontainer, one after the other in one run, on Docker hosts that exist for the run only. Needs root.",
    )
    .addOption(
      new Option(
        "--kind <kind>",
        "what a node is: namespaces of this kernel, or a computer under emulation, whose kernel tracks written pages",
      )
        .choices(["namespaces", "vm"])
        .default("namespaces"),
    )
    .option("--sizes <MiB,…>", "memory of the workload (default: 64,1024,4096; of virtual nodes 64,256)", sizes)
    .option("--modes <mode,…>", `modes asked for: ${MODES.join(", ")} (default: stopcopy,postcopy; of virtual nodes auto)`, among(MODES))
    .option("--percent <n>", "of its memory it rewrites a second", positive, 10)
    .option("--runs <n>", "moves of each case; medians are told", positive, 5)
    .option("--peers <peer,…>", `beside what: ${PEERS.join(", ")}; or none (default: all; of virtual nodes the floor)`, (text) =>
      text === "none" ? [] : among(PEERS)(text),
    )
    .option("--quick", "smoke run: 64 MiB, two runs, beside the bare tools only")
    .option("--json", "print JSON instead of a table", false)
    .addHelpText(
      "after",
      "\nA size needs four times as much free memory. Progress goes to the standard error.\nExit codes: 0 all was measured, 1 something was not (`failures` says what), 2 wrong usage, 130 interrupted.",
    )
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
    .parse()
    .opts<{
      kind: LabKind;
      sizes?: number[];
      modes?: string[];
      runs: number;
      percent: number;
      peers?: string[];
      quick?: boolean;
      json: boolean;
    }>();
  const usual =
    flags.kind === "vm"
      ? { sizes: [64, 256], modes: ["auto"], peers: ["floor"] }
      : { sizes: [64, 1024, 4096], modes: ["stopcopy", "postcopy"], peers: [...PEERS] };
  const asked = flags.quick ? { ...usual, ...flags, sizes: [64], runs: 2, peers: ["floor"] } : { ...usual, ...flags };
  const peerSize = Math.max(...asked.sizes.filter((size) => size <= 1024), Math.min(...asked.sizes));
  return { ...asked, peerSize };
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("a whole number above 0 is needed");
  return value;
}

const sizes = (text: string) => text.split(",").map(positive);

const among = (known: readonly string[]) => (text: string) => {
  const words = text.split(",");
  const unknown = words.find((word) => !known.includes(word));
  if (unknown !== undefined) throw new InvalidArgumentError(`"${unknown}" is none of ${known.join(", ")}`);
  return words;
};
