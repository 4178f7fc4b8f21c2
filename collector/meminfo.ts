import { parseCount } from "./parse-number.js";

export interface MachineMemory {
  readonly totalBytes: number;
  /** The kernel's own estimate of what new programs can have without swapping. */
  readonly availableBytes: number;
}

/** Reads /proc/meminfo. */
export function parseMeminfo(text: string): MachineMemory {
  return { totalBytes: kibibytes(text, "MemTotal") * 1024, availableBytes: kibibytes(text, "MemAvailable") * 1024 };
}

function kibibytes(text: string, name: string): number {
  const match = new RegExp(`^${name}:\\s*(\\d+) kB$`, "m").exec(text);
  if (match === null) throw new Error(`no field ${name}`);
  return parseCount(match[1]);
}
