import { execFile, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename } from "node:path";
import type { Readable } from "node:stream";
import { promisify } from "node:util";
import { projectPath } from "../../../platform/paths.js";
import { restoreForkedFirst } from "../../pages/forked-ranges.js";
import { waitUntilGone } from "./find-process.js";

const run = promisify(execFile);

/** Below this, reading all pages at once takes less than starting the daemon. */
const WORTHWHILE_BYTES = 16 << 20;
const READY_SECONDS = 5;

const command = (folder: string) => ["lazy-pages", "-D", `${folder}/images`, "-W", `${folder}/work`];

/**
 * Starts CRIU's lazy-pages daemon on the local images, so that a restore resumes before its memory is read: pages follow as they are touched, the
 * rest in the background. Nothing depends on another node. False when it is not worth it or cannot
 * be had (no userfaultfd): the restore then reads everything first.
 */
export async function startLazyPages(folder: string): Promise<boolean> {
  const images = `${folder}/images`;
  if (((await restoreForkedFirst(images)) ?? (await pageBytes(images))) < WORTHWHILE_BYTES) return false;
  const log = openSync(`${folder}/lazy-pages.out`, "a");
  // Detached, with a file for its words: the workload's memory must outlive this executor.
  const words = [folder, "criu", ...command(folder), "-o", "lazy-pages.log", "--status-fd", "3"];
  const child = spawn(projectPath("executor/shim/feed-memory"), words, {
    stdio: ["ignore", log, log, "pipe"],
    detached: true,
  });
  closeSync(log);
  child.unref();
  const ready = await new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), READY_SECONDS * 1000);
    const settle = (value: boolean) => {
      clearTimeout(timer);
      resolve(value);
    };
    (child.stdio[3] as Readable).once("data", () => settle(true));
    child.once("error", () => settle(false));
    child.once("exit", () => settle(false));
  });
  (child.stdio[3] as Readable).destroy();
  if (!ready && child.pid !== undefined) endGroup(child.pid);
  return ready;
}

function endGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}

/** Resolves once every page of a lazily restored workload is in; at once where none is missing. */
export async function waitForPages(folder: string): Promise<void> {
  await waitUntilGone(command(folder));
}

/** The page server's frames have their present form since this version (criu/page-xfer.c). */
const PAGE_FRAMES_SINCE = [4, 2] as const;

let canBeLazy = false;

/** Why memory cannot follow a workload after the commit from or to this node; null = it can, which is asked of CRIU once. */
export async function whyNotLazy(): Promise<string | null> {
  const why = canBeLazy ? null : await askCriu();
  canBeLazy = why === null;
  return why;
}

async function askCriu(): Promise<string | null> {
  const { stdout } = await run("criu", ["--version"]).catch(() => ({ stdout: "" }));
  const [major = 0, minor = 0] = (/Version: (\d+)\.(\d+)/.exec(stdout) ?? []).slice(1).map(Number);
  const [needMajor, needMinor] = PAGE_FRAMES_SINCE;
  if (major < needMajor || (major === needMajor && minor < needMinor))
    return `CRIU ${major}.${minor} is older than ${PAGE_FRAMES_SINCE.join(".")}`;
  for (const feature of ["uffd", "uffd-noncoop"]) {
    const missing = await run("criu", ["check", "--feature", feature]).then(
      () => false,
      () => true,
    );
    if (missing) return `its kernel does not let CRIU use userfaultfd (criu check --feature ${feature})`;
  }
  return null;
}

async function pageBytes(images: string): Promise<number> {
  // Those of pre-copy rounds too, in folders below.
  const pages = (await readdir(images, { recursive: true })).filter((path) => basename(path).startsWith("pages-"));
  const sizes = await Promise.all(pages.map(async (path) => (await stat(`${images}/${path}`)).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
