import { readFile } from "node:fs/promises";
import { projectPath } from "../../platform/paths.js";
import { endProcess } from "../engine/docker/end-process.js";
import { findProcess } from "../engine/docker/find-process.js";
import { spawnApart } from "../spawn-apart.js";
import { listenTo, type MemoryFeeder, talkToFeeder } from "./memory-feeder.js";
import type { PageProxyOrders, PagesState } from "./pages-protocol.js";
import { feederWords } from "./start-image-feeder.js";

/** What tells these processes from those of other migrations, in their command lines. */
const PROGRAM = projectPath("dist/executor/pages/page-proxy.js");
const proxy = (folder: string) => [PROGRAM, folder];
const daemon = (folder: string) => ["lazy-pages", `${folder}/images`];
const hold = (folder: string) => [`${folder}/hold`];

/** Not found this many times in a row: what follows from that cannot be taken back. */
const LOOKS = 3;

export interface PageProxy extends MemoryFeeder {
  /** Where the source brings the pages to. */
  readonly port: number;
}

/** Starts the process that takes a workload's memory in after the commit. @throws RESTORE_FAILED when it cannot listen. */
export async function startPageProxy(folder: string, orders: PageProxyOrders): Promise<PageProxy> {
  const child = spawnApart(PROGRAM, [folder, JSON.stringify(orders)], `${folder}/page-proxy.log`);
  const next = listenTo(child.stdout, "the page proxy", `${folder}/page-proxy.log`);
  return { port: Number(await next("port")), beginsEarly: true, ...talkToFeeder(child, next) };
}

/** Null where no memory follows. A proxy that is gone without a last word leaves pages missing for ever. */
export async function readPages(folder: string): Promise<PagesState | null> {
  const read = async () => {
    const text = await readFile(`${folder}/pages.json`, "utf8").catch(() => null);
    return text === null ? null : (JSON.parse(text) as PagesState);
  };
  const state = await read();
  if (state === null || state.state === "done" || state.state === "lost") return state;
  for (let look = 0; look < LOOKS; look++) if ((await findProcess(proxy(folder))) !== null) return state;
  // It may have ended well since the first look.
  const last = await read();
  return last === null || last.state === "done" ? last : { ...last, state: "lost" };
}

/** Ends whatever feeds a workload that is gone or must go: the proxy first, else it would take the daemon's end for a mishap. */
export async function stopPages(folder: string): Promise<void> {
  for (const words of [proxy(folder), feederWords(folder), daemon(folder), hold(folder)]) await endProcess(words);
}
