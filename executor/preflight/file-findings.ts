import { type Finding, finding } from "../../platform/findings.js";
import { GHOST_LIMIT_BYTES } from "../criu-setup.js";
import { identityFinding } from "./identity-findings.js";
import { nameOf } from "./members.js";
import type { OpenFile } from "./open-files.js";
import { watchFinding } from "./watch-findings.js";

/** Nameless objects that CRIU has a way to save; every other kind makes its dump end with "Can't dump file of that type". */
const SAVED_OBJECTS = new Set(["[eventfd]", "[eventpoll]", "[signalfd]", "[timerfd]", "[pidfd]", "[fanotify]", "inotify"]);
const BLOCK_BYTES = 512;

/** Character devices that are the same on each host: memory devices, terminals of the container's own, tun. */
function isPortable(rdev: number): boolean {
  const [major, minor] = [(rdev >> 8) & 0xfff, (rdev & 0xff) | ((rdev >> 12) & 0xfff00)];
  return major === 1 || major === 5 || (major >= 136 && major <= 143) || (major === 10 && minor === 200);
}

/** What cannot follow of the files that a workload has open. One finding a kind; the message names the first. */
export async function fileFindings(files: readonly OpenFile[]): Promise<Finding[]> {
  const findings = new Map<string, Finding>();
  for (const file of files) {
    const found = await judge(file);
    if (found !== null && !findings.has(found.code)) findings.set(found.code, found);
  }
  return [...findings.values()];
}

async function judge(file: OpenFile): Promise<Finding | null> {
  const { target, stat, pid } = file;
  const who = () => nameOf(pid);
  const object = /^anon_inode:(.*)$/.exec(target)?.[1];
  if (object === "[io_uring]") return finding("io-uring", `${await who()} has io_uring open, which CRIU cannot save`);
  if (object === "inotify" || object === "[fanotify]") return watchFinding(file);
  if (object !== undefined && !SAVED_OBJECTS.has(object))
    return finding("kernel-object", `${await who()} has ${target} open, which CRIU cannot save`);
  if (target.startsWith("/secretmem")) return finding("kernel-object", `${await who()} has secret memory, which CRIU cannot save`);
  if (stat === null) return null;
  if (stat.isBlockDevice() || (stat.isCharacterDevice() && !isPortable(stat.rdev)))
    return finding("device-open", `${await who()} has ${target} open`);
  const bytes = stat.blocks * BLOCK_BYTES;
  if (stat.nlink === 0 && stat.isFile() && bytes > GHOST_LIMIT_BYTES) {
    const limit = GHOST_LIMIT_BYTES / 2 ** 20;
    return finding(
      "deleted-file",
      `${await who()} has ${target} open, ${Math.round(bytes / 2 ** 20)} MiB; at most ${limit} MiB can travel`,
    );
  }
  return identityFinding(file);
}
