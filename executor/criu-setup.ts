import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { EvenkeelError } from "../platform/errors.js";
import { projectPath } from "../platform/paths.js";

const run = promisify(execFile);

/** runc hands this file to CRIU on each dump and restore; its lines win over flags. */
export const RUNC_CRIU_CONFIG = "/etc/criu/runc.conf";

/** Open files that were deleted travel in the images up to this size. */
export const GHOST_LIMIT_BYTES = 64 * 2 ** 20;

/** Lines of an administrator that would break the protocol: the source killed or left running against the record, images destroyed. */
const FORBIDDEN = ["lazy-pages", "leave-running", "leave-stopped", "auto-dedup"];

/** Executors before protocol 2 wrote it. */
const OURS_BEFORE = "network-lock nftables";

const ACTION_SCRIPT = `action-script ${projectPath("executor/shim/criu-action")}`;

/** Names our action script to CRIU, keeping an administrator's other lines. @throws CONFIG_INVALID when theirs and ours exclude each other. */
export async function registerActionScript(path = RUNC_CRIU_CONFIG): Promise<void> {
  // Connections that are not established yet are left out: their clients ask again. Else a busy server could never be dumped.
  // Open files that were deleted: those with another name left need link-remap, the others travel in the images up to the limit.
  const ours = [ACTION_SCRIPT, "skip-in-flight", "link-remap", `ghost-limit ${GHOST_LIMIT_BYTES / 2 ** 20}M`];
  const found = await readFile(path, "utf8").catch(() => "");
  const text = found
    .split("\n")
    .filter((line) => normal(line) !== OURS_BEFORE)
    .join("\n");
  const lines = linesOf(text);
  const clash = lines.find((line) => isForbidden(line) || isForbiddenToRunc(line));
  if (clash !== undefined)
    throw new EvenkeelError("CONFIG_INVALID", `${path} holds "${clash}", which Evenkeel cannot work with; remove that line`);
  const missing = ours.filter((line) => !lines.some((there) => there.split(/\s/)[0] === line.split(" ")[0]));
  if (missing.length === 0 && text === found) return;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `${[...(text === "" ? [] : [text.replace(/\n$/, "")]), ...missing].join("\n")}\n`);
}

/** Lines of any file in CRIU's folder that we cannot work with, as `path: line`. CRIU itself reads default.conf, runc hands it runc.conf. */
export async function readForbiddenLines(folder = dirname(RUNC_CRIU_CONFIG)): Promise<string[]> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith(".conf")).sort();
  const found = await Promise.all(
    names.map(async (name) => {
      const lines = linesOf(await readFile(join(folder, name), "utf8").catch(() => ""));
      const isOurs = name === basename(RUNC_CRIU_CONFIG);
      return lines
        .filter((line) => isForbidden(line) || (isOurs && isForbiddenToRunc(line)))
        .map((line) => `${join(folder, name)}: ${line}`);
    }),
  );
  return found.flat();
}

const normal = (line: string) => line.trim().replaceAll(/\s+/g, " ");
const linesOf = (text: string) => text.split("\n").map(normal);
const isForbidden = (line: string) => FORBIDDEN.some((word) => line.startsWith(word));
/** It would win over what each dump is told: the network is shut by our rules, and what CRIU had locked beside them nobody would open. */
const locksNetwork = (line: string) => line.startsWith("network-lock") && line !== "network-lock skip";
const isForbiddenToRunc = (line: string) => locksNetwork(line) || (line.startsWith("action-script") && line !== ACTION_SCRIPT);

/**
 * Runs `criu check` once, which also fills CRIU's cache of kernel features: the first freeze would pay for that otherwise. Returns what
 * is wrong in CRIU's words, or null.
 */
export async function checkCriu(): Promise<string | null> {
  try {
    await run("criu", ["check"]);
    return null;
  } catch (error) {
    return (error as { stderr?: string }).stderr?.trim() || (error as Error).message;
  }
}
