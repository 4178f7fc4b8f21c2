/** One mapping of a process, of `/proc/PID/smaps`. */
export interface Mapping {
  /** Device and inode of the file or shared memory that it is of, the same in every process; null = memory of its own. */
  readonly file: string | null;
  /** What is written goes to that, not to a copy of its own. */
  readonly isShared: boolean;
  readonly isWritable: boolean;
  /** As the kernel names it, such as `Swap`; in bytes, 0 = not told. */
  size(name: string): number;
}

const HEAD = /^[0-9a-f]+-[0-9a-f]+ \S(\S)\S(\S) \S+ (\S+) (\d+)/;

export function parseSmaps(text: string): Mapping[] {
  const mappings: (Mapping & { readonly sizes: Map<string, number> })[] = [];
  for (const line of text.split("\n")) {
    const head = HEAD.exec(line);
    if (head !== null) {
      const [, write, kind, device, inode] = head;
      const sizes = new Map<string, number>();
      const file = inode === "0" ? null : `${device} ${inode}`;
      mappings.push({ file, isShared: kind === "s", isWritable: write === "w", sizes, size: (name) => sizes.get(name) ?? 0 });
      continue;
    }
    const [name, amount] = line.split(/: +/);
    if (amount?.endsWith(" kB")) mappings.at(-1)?.sizes.set(name!, Number.parseInt(amount, 10) * 1024);
  }
  return mappings;
}

/** Adds up what processes have of files and shared memory: of each once, as much as that process has that has most. */
export function sumOncePerFile(processes: readonly (readonly Mapping[])[], bytesOf: (mapping: Mapping) => number): number {
  const most = new Map<string, number>();
  for (const mappings of processes) {
    const its = new Map<string, number>();
    for (const mapping of mappings) if (mapping.file !== null) its.set(mapping.file, (its.get(mapping.file) ?? 0) + bytesOf(mapping));
    for (const [file, bytes] of its) most.set(file, Math.max(most.get(file) ?? 0, bytes));
  }
  return [...most.values()].reduce((sum, bytes) => sum + bytes, 0);
}
