import { accessSync, constants } from "node:fs";

const found = new Map<string, string>();

/**
 * Where PATH has a program, or its bare name if nowhere. Newer Node.js (libuv 1.53) starts a process for each folder of PATH until one has it, and stands
 * still meanwhile, which counts where something frozen waits.
 */
export function findProgram(name: string): string {
  const known = found.get(name);
  if (known !== undefined) return known;
  const path = (process.env["PATH"] ?? "")
    .split(":")
    .map((folder) => `${folder}/${name}`)
    .find(isProgram);
  if (path === undefined) return name;
  found.set(name, path);
  return path;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
