import { existsSync, readFileSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { labsFolder } from "./folders.js";
import { withLock } from "./kernel-lock.js";

/** Settings of the whole kernel that labs need, and what they were before the first lab came. Kept until the last one is gone. */
interface Held {
  readonly original: Readonly<Record<string, string>>;
  readonly labs: readonly string[];
}

const CAP_SYS_RESOURCE = 24;
/** dockerd raises these when it starts, for the whole kernel. */
const CHANGED_BY_DOCKER = ["kernel.keys.root_maxkeys", "kernel.keys.root_maxbytes"];

const heldFile = () => join(labsFolder(), "sysctls.json");
const lockFile = () => join(labsFolder(), ".sysctls.lock");
const fileOf = (name: string) => `/proc/sys/${name.replaceAll(".", "/")}`;
const read = (name: string) => readFileSync(fileOf(name), "utf8").trim().replaceAll("\t", " ");

/** Root without CAP_SYS_RESOURCE: what CRIU takes for granted has to be arranged for. */
export function isConfined(): boolean {
  const bounding = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  return (BigInt(`0x${bounding}`) & (1n << BigInt(CAP_SYS_RESOURCE))) === 0n;
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
  if (!existsSync(heldFile())) return { original: {}, labs: [] };
  return JSON.parse(await readFile(heldFile(), "utf8"));
}

async function writeHeld(held: Held): Promise<void> {
  await writeFile(`${heldFile()}.partial`, JSON.stringify(held));
  await rename(`${heldFile()}.partial`, heldFile());
}

/** Records what will be changed, then changes it. */
export async function holdSysctls(lab: string): Promise<void> {
  await mkdir(labsFolder(), { recursive: true });
  await withLock(lockFile(), async () => {
    const held = await readHeld();
    const values = wanted();
    const names = [...Object.keys(values), ...CHANGED_BY_DOCKER].filter((name) => existsSync(fileOf(name)));
    const current = Object.fromEntries(names.map((name) => [name, read(name)]));
    await writeHeld({ original: { ...current, ...held.original }, labs: [...new Set([...held.labs, lab])] });
    for (const [name, value] of Object.entries(values)) if (current[name] !== value) await writeFile(fileOf(name), value);
  });
}

/** Puts everything back once the last lab has let go. */
export async function releaseSysctls(lab: string): Promise<void> {
  if (!existsSync(heldFile())) return;
  await withLock(lockFile(), async () => {
    const held = await readHeld();
    const labs = held.labs.filter((other) => other !== lab);
    if (labs.length > 0) return writeHeld({ ...held, labs });
    for (const [name, value] of Object.entries(held.original)) if (read(name) !== value) await writeFile(fileOf(name), value);
    await rm(heldFile(), { force: true });
  });
}

/** Settings that differ from what they were before the labs, while no lab holds them. */
export async function strayedSysctls(): Promise<string[]> {
  const held = await readHeld();
  if (held.labs.length > 0) return [];
  return Object.entries(held.original)
    .filter(([name, value]) => read(name) !== value)
    .map(([name, value]) => `sysctl ${name} is ${read(name)}, was ${value}`);
}

export async function labsHoldingSysctls(): Promise<readonly string[]> {
  return (await readHeld()).labs;
}
