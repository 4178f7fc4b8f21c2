import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { labsFolder } from "./folders.js";
import { isAlive, type ProcessIdentity } from "./process-identity.js";

/** What is written down before anything of a lab is made, so that whoever comes later can take it down. */
export interface LabRecord {
  readonly name: string;
  readonly orchestrator: ProcessIdentity;
  readonly guardian?: ProcessIdentity;
  /** Present once the lab is up. */
  readonly machines?: readonly { readonly name: string; readonly address: string }[];
}

export function labFolder(name: string): string {
  return join(labsFolder(), name);
}

export async function writeRecord(record: LabRecord): Promise<void> {
  const path = join(labFolder(record.name), "lab.json");
  await mkdir(labFolder(record.name), { recursive: true, mode: 0o711 });
  await writeFile(`${path}.partial`, JSON.stringify(record, null, 2));
  await rename(`${path}.partial`, path);
}

/** The record of a lab, or undefined when there is none (or only a folder whose record was never finished). */
export async function readRecord(name: string): Promise<LabRecord | undefined> {
  try {
    return JSON.parse(await readFile(join(labFolder(name), "lab.json"), "utf8"));
  } catch {
    return undefined;
  }
}

export async function labsWithFolders(): Promise<string[]> {
  if (!existsSync(labsFolder())) return [];
  const entries = await readdir(labsFolder(), { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

/** Someone still answers for the lab: the process that started it, or the guardian taking it down. */
export function isLookedAfter(record: LabRecord | undefined): boolean {
  if (!record) return false;
  return isAlive(record.orchestrator) || (record.guardian !== undefined && isAlive(record.guardian));
}
