import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { parseCgroupMounts } from "../../../collector/cgroup-mounts.js";
import { waitFor } from "../../support/wait-for.js";

/** A real process in cgroups of its own that bear its id, as Docker's do. */
export interface RealContainer {
  readonly id: string;
  readonly pid: number;
  freeze(frozen: boolean): Promise<void>;
  close(): Promise<void>;
}

const PARENT = "evenkeel-test";

/** Why this machine cannot have one; null when it can. */
export function whyNoRealContainer(): string | null {
  if (process.getuid?.() !== 0) return "needs root to make cgroups";
  return existsSync("/sys/fs/cgroup/memory/cgroup.procs") ? null : "is written for mounted cgroup v1 controllers";
}

/** Runs `script` in a shell held to `cpuCores`. */
export async function startRealContainer(script: string, cpuCores: number): Promise<RealContainer> {
  const id = randomBytes(32).toString("hex");
  const mounts = parseCgroupMounts(readFileSync("/proc/self/mountinfo", "utf8"));
  const directories = ["cpu", "cpuacct", "memory", "pids", "freezer"].map(
    (controller) => `${mounts.v1.get(controller)!.mountPoint}/${PARENT}/${id}`,
  );
  for (const directory of directories) mkdirSync(directory, { recursive: true });
  const [cpu, , , , freezer] = directories as [string, string, string, string, string];
  writeFileSync(`${cpu}/cpu.cfs_quota_us`, String(Math.round(cpuCores * 100_000)));
  const child = spawn("sh", ["-c", `for d in ${directories.join(" ")}; do echo $$ > $d/cgroup.procs; done; ${script}`], {
    stdio: "ignore",
  });
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  await waitFor("the process to be in its cgroups", () => directories.every((directory) => readsPid(directory, child)));
  const freeze = async (frozen: boolean) => {
    const state = frozen ? "FROZEN" : "THAWED";
    writeFileSync(`${freezer}/freezer.state`, state);
    await waitFor(`the cgroup to be ${state}`, () => readFileSync(`${freezer}/freezer.state`, "utf8").trim() === state);
  };
  return {
    id,
    pid: child.pid!,
    freeze,
    async close() {
      await freeze(false);
      for (const pid of readFileSync(`${cpu}/cgroup.procs`, "utf8").split("\n").filter(Boolean)) process.kill(Number(pid), "SIGKILL");
      await gone;
      for (const directory of directories) {
        await waitFor(`${directory} to be empty`, () => rmdirSync(directory) === undefined);
        rmdirSync(dirname(directory));
      }
    },
  };
}

function readsPid(directory: string, child: ChildProcess): boolean {
  return readFileSync(`${directory}/cgroup.procs`, "utf8").split("\n").includes(String(child.pid));
}
