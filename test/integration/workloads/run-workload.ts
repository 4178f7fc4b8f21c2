import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { cacheFolder } from "../../../lab/folders.js";
import { buildImages } from "../../../lab/images/build-images.js";
import { buildRoot } from "../../../lab/root-file-system.js";
import { LAB_PACKAGES } from "../../../lab/root-recipe.js";
import { type LabWorkload, WORKLOADS } from "../../../lab/workloads/workload-table.js";
import { freePort } from "../../support/free-port.js";
import { waitFor } from "../../support/wait-for.js";

export interface RunningWorkload {
  readonly port: number;
  /** The program as the host sees it; in its own namespace it is process 1. */
  readonly pid: number;
  /** Top folder of its file system. */
  readonly folder: string;
  stop(): Promise<void>;
}

/** Building the root file system takes minutes on a machine that has none. */
export const SETUP_DEADLINE_MS = 600_000;

/** Runs a workload of the table from its own image, as process 1 of its own pid namespace, on a free loopback port. */
export async function runWorkload(name: string): Promise<RunningWorkload> {
  const workload = WORKLOADS.find((candidate) => candidate.name === name);
  if (!workload) throw new Error(`no workload ${name}`);
  const folder = await mkdtemp(join(tmpdir(), `evenkeel-workload-${name}-`));
  await execa("tar", ["--extract", "--file", await imageTar(workload.image), "--directory", folder]);
  // What Docker would put there.
  await writeFile(join(folder, "dev/null"), "");
  const port = await freePort();
  const command = await onPort(workload, port, folder);
  const namespaces = ["--pid", "--fork", "--kill-child", "--mount", `--mount-proc=${join(folder, "proc")}`];
  const child = spawn("unshare", [...namespaces, "chroot", folder, ...command], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { PATH: "/usr/sbin:/usr/bin" },
  });
  let said = "";
  child.stderr.on("data", (data: Buffer) => {
    said += data.toString();
  });
  const stop = async () => {
    await ended(child);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await waitFor(`${name} to listen`, () => child.exitCode !== null || isListening(port));
    if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}: ${said}`);
    const pid = Number((await readFile(`/proc/${child.pid}/task/${child.pid}/children`, "utf8")).trim());
    return { port, pid, folder, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The lab's root file system, built now if this machine has none. */
export async function labRoot(): Promise<string> {
  return process.env["EVENKEEL_LAB_ROOT"] ?? buildRoot("lab", LAB_PACKAGES);
}

async function imageTar(reference: string): Promise<string> {
  const images = await buildImages(await labRoot(), cacheFolder());
  return images.find((image) => image.reference === reference)!.tar;
}

/** The port is on the command line, except nginx's, which is in its configuration. */
async function onPort({ command, port }: LabWorkload, otherPort: number, folder: string): Promise<string[]> {
  const configuration = join(folder, "etc/nginx.conf");
  const text = await readFile(configuration, "utf8").catch(() => null);
  if (text !== null) await writeFile(configuration, text.replace(`listen ${port};`, `listen 127.0.0.1:${otherPort};`));
  return command.map((word, index) => (command[index - 1] === "--port" ? String(otherPort) : word));
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.once("connect", () => socket.destroy(undefined) && resolve(true));
    socket.once("error", () => resolve(false));
  });
}
