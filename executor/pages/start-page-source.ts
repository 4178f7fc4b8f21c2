import { rename, writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { EvenkeelError } from "../../platform/errors.js";
import { projectPath } from "../../platform/paths.js";
import { endProcess } from "../engine/docker/end-process.js";
import { findProcess } from "../engine/docker/find-process.js";
import { spawnApart } from "../spawn-apart.js";
import { PACE_FILE, type PageSourceOrders } from "./pages-protocol.js";

const PROGRAM = projectPath("dist/executor/pages/page-source.js");
const CONNECT_SECONDS = 10;

export interface PageSource {
  /** Resolves once the destination has been reached. @throws PEER_UNREACHABLE */
  connected(): Promise<void>;
  /** The workload is frozen: pids in the container to pids here. */
  begin(pids: Readonly<Record<number, number>>): void;
}

/** Starts the process that gives a frozen workload's memory away. Another one may take its place at any time. */
export function startPageSource(folder: string, to: PageSourceOrders): PageSource {
  const child = spawnApart(PROGRAM, [folder, JSON.stringify(to)], `${folder}/page-source.log`);
  const { stdin, stdout } = child;
  const first = new Promise<boolean>((resolve) => {
    createInterface({ input: stdout }).once("line", () => resolve(true));
    child.once("exit", () => resolve(false));
    child.once("error", () => resolve(false));
    setTimeout(() => resolve(false), CONNECT_SECONDS * 1000).unref();
  });
  return {
    connected: async () => {
      if (await first) return;
      throw new EvenkeelError("PEER_UNREACHABLE", `${to.node} at ${to.host}:${to.port}, where memory would follow by postcopy`);
    },
    begin: (pids) => void stdin.write(`${JSON.stringify(pids)}\n`),
  };
}

/** How fast memory may leave that no thread waits for; null = as fast as the link takes it. Holds for whichever process gives it away, and while no executor runs. */
export async function setPagePace(folder: string, bytesPerSecond: number | null): Promise<void> {
  await writeFile(`${folder}/${PACE_FILE}.new`, String(bytesPerSecond ?? 0), { mode: 0o600 });
  await rename(`${folder}/${PACE_FILE}.new`, `${folder}/${PACE_FILE}`);
}

const words = (folder: string) => [PROGRAM, folder];

export async function isPageSourceAlive(folder: string): Promise<boolean> {
  return (await findProcess(words(folder))) !== null;
}

export async function stopPageSource(folder: string): Promise<void> {
  await endProcess(words(folder));
}
