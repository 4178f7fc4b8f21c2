import { existsSync, readFileSync } from "node:fs";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { RUN_FOLDER } from "./folders.js";
import { withLock } from "./kernel-lock.js";
import { bootId } from "./process-identity.js";

/**
 * Settings of the whole kernel that labs need, and what they were before the first lab came. Kept until the last one is gone;
 * a new kernel starts with its own. `labs`: folders of the labs that need them.
 */
interface Held {
  readonly original: Readonly<Record<string, string>>;
  readonly labs: readonly string[];
  readonly bootId: string;
}

const CAP_SYS_RESOURCE = 24;
/** dockerd raises these when it starts, for the whole kernel. */
const CHANGED_BY_DOCKER = ["kernel.keys.root_maxkeys", "kernel.keys.root_maxbytes"];

const HELD_FILE = join(RUN_FOLDER, "sysctls.json");
const LOCK_FILE = join(RUN_FOLDER, "sysctls.lock");
const fileOf = (name: string) => `/proc/sys/${name.replaceAll(".", "/")}`;
const read = (name: string) => readFileSync(fileOf(name), "utf8").trim().replaceAll("\t", " ");

/** Root without CAP_SYS_RESOURCE: what CRIU takes for granted has to be arranged for. */
export function isConfined(): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  return (BigInt(`0x${effective}`) & (1n << BigInt(CAP_SYS_RESOURCE))) === 0n;
}

function hardOpenFileLimit(): number {
  const limit = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
  return limit === undefined || limit === "unlimited" ? Number.MAX_SAFE_INTEGER : Number(limit);
}

/** What CRIU needs of the kernel where root is confined; empty on an ordinary host. */
function wanted(): Record<string, string> {
  if (!isConfined()) return {};
  return {
    "fs.nr_open": String(Math.min(hardOpenFileLimit(), Number(read("fs.nr_open")))),
    "fs.pipe-max-size": "1073741824",
    "fs.pipe-user-pages-soft": "0",
    "vm.unprivileged_userfaultfd": "1",
  };
}

async function readHeld(): Promise<Held> {
  const none: Held = { original: {}, labs: [], bootId };
  if (!existsSync(HELD_FILE)) return none;
  const held: Held = JSON.parse(await readFile(HELD_FILE, "utf8"));
  return held.bootId === bootId ? held : none;
}

async function writeHeld(held: Held): Promise<void> {
  await writeFile(`${HELD_FILE}.partial`, JSON.stringify(held));
  await rename(`${HELD_FILE}.partial`, HELD_FILE);
}

/** Records what will be changed, then changes it. */
export async function holdSysctls(labFolder: string): Promise<void> {
  await withLock(LOCK_FILE, async () => {
    const held = await readHeld();
    const values = wanted();
    const names = [...Object.keys(values), ...CHANGED_BY_DOCKER].filter((name) => existsSync(fileOf(name)));
    const current = Object.fromEntries(names.map((name) => [name, read(name)]));
    await writeHeld({ bootId, original: { ...current, ...held.original }, labs: [...new Set([...held.labs, labFolder])] });
    for (const [name, value] of Object.entries(values)) if (current[name] !== value) await writeFile(fileOf(name), value);
  });
}

/** Puts everything back once the last lab has let go. */
export async function releaseSysctls(labFolder: string): Promise<void> {
  await withLock(LOCK_FILE, async () => {
    const held = await readHeld();
    const labs = held.labs.filter((other) => other !== labFolder && existsSync(other));
    if (labs.length > 0) return writeHeld({ ...held, labs });
    for (const [name, value] of Object.entries(held.original)) if (read(name) !== value) await writeFile(fileOf(name), value);
    await rm(HELD_FILE, { force: true });
  });
}

/** Folders of the labs that need the settings changed. */
export async function labsHoldingSysctls(): Promise<readonly string[]> {
  return (await readHeld()).labs;
}

/** Settings that are not what they were before the labs, although no lab holds them. */
export async function strayedSysctls(): Promise<string[]> {
  const held = await readHeld();
  if (held.labs.length > 0) return [];
  return Object.entries(held.original)
    .filter(([name, value]) => read(name) !== value)
    .map(([name, value]) => `sysctl ${name} is ${read(name)}, was ${value}`);
}
