import { execFile, spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { projectPath } from "../../../platform/paths.js";
import type { Uplink } from "./uplinks.js";

const run = promisify(execFile);
const SCRIPT = projectPath("executor/shim/packet-hold");
/** As there. */
const LIMIT_BYTES = 8_388_608;

/** How this kernel can keep packets back; null with the reason where it cannot. */
export interface HoldMeans {
  readonly means: "plug" | "tbf" | null;
  readonly reason: string;
}

/** Tried out on a device of its own, once at the executor's start. @param isWanted `executor.holdPackets` */
export async function findHoldMeans(isWanted: boolean): Promise<HoldMeans> {
  if (!isWanted) return { means: null, reason: "executor.holdPackets is false" };
  try {
    const means = (await run(SCRIPT, ["means"])).stdout.trim();
    return { means: means === "plug" ? "plug" : "tbf", reason: "" };
  } catch (error) {
    return { means: null, reason: (error as { stderr?: string }).stderr?.trim() || (error as Error).message };
  }
}

/**
 * From now on what comes in for the workload is kept, in its order, until the action script opens the hold in the resume or it is dropped.
 * To be armed before traffic is drawn here.
 */
export async function armHold(folder: string, containerId: string, means: "plug" | "tbf", uplinks: readonly Uplink[]): Promise<void> {
  const device = deviceOf(containerId);
  const chains = uplinks.map(
    ({ device: uplink, macAddress }, index) =>
      `  chain in${index} {\n    type filter hook ingress device "${uplink}" priority -500\n    ether daddr ${macAddress} fwd to "${device}"\n  }\n`,
  );
  await writeFile(`${folder}/packets.nft`, `table netdev ${device} {\n${chains.join("")}}\n`);
  await writeFile(`${folder}/packets`, `${[`${device} ${means}`, ...uplinks.map((up) => `${up.device} ${up.macAddress}`)].join("\n")}\n`);
  try {
    await run(SCRIPT, ["arm", folder]);
  } catch (error) {
    await dropHold(folder);
    throw error;
  }
}

/** Somebody who stands ready to let go what is held. */
export interface Opener {
  open(): void;
  close(): void;
}

/** Shorter frames do not leave. */
const FRAME_BYTES = 60;

/**
 * Started ahead of the freeze: by programs that are started in the resume (executor/shim/packet-hold) it would take some forty milliseconds, for which clients wait. The
 * action script opens the hold as well, a little later and in any case.
 */
export function makeOpener(containerId: string, means: "plug" | "tbf"): Opener {
  const device = deviceOf(containerId);
  const start = (program: string, ...words: string[]) => {
    const child = spawn(program, words, { stdio: ["pipe", "ignore", "ignore"] });
    child.on("error", () => {});
    child.stdin.on("error", () => {});
    return child;
  };
  const change = start("tc", "-batch", "-");
  const wake = means === "tbf" ? start("socat", "-u", "-", `INTERFACE:${device}`) : null;
  // The change wakes nobody; a frame after it does.
  change.once("exit", (code) => code === 0 && wake?.stdin.write(Buffer.alloc(FRAME_BYTES)));
  const opening = {
    plug: "release_indefinite",
    tbf: `rate 10gbit burst 16mb limit ${LIMIT_BYTES}`,
  };
  return {
    open: () => change.stdin.end(`qdisc change dev ${device} root ${means} ${opening[means]}\n`),
    close: () => {
      // Nothing was opened that has to be woken.
      change.removeAllListeners("exit");
      change.stdin.end();
      wake?.stdin.end();
    },
  };
}

const deviceOf = (containerId: string) => `ek${containerId.slice(0, 12)}`;

/** What is still held is lost. Safe to repeat, and where none was armed. */
export async function dropHold(folder: string): Promise<void> {
  await run(SCRIPT, ["drop", folder]);
}
