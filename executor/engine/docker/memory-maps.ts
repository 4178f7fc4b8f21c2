/** One mapping of a process (proc(5)). */
export interface Mapping {
  readonly start: number;
  readonly end: number;
  /** `rw-p` … */
  readonly permissions: string;
  /** 0: it has no file. */
  readonly inode: number;
  /** Of its file, or another; empty = it has none. */
  readonly name: string;
  /** The kernel's flags, two letters each. */
  readonly flags: readonly string[];
  /** In memory or in swap. */
  readonly heldBytes: number;
}

const HEAD = /^([0-9a-f]+)-([0-9a-f]+) (\S{4}) [0-9a-f]+ [0-9a-f]+:[0-9a-f]+ (\d+) *(.*)$/s;

/** As these files have to be read: a file's name may have any bytes. */
export const MAPS_ENCODING = "latin1";

/** What /proc/<pid>/smaps says of each mapping, by the line that it has in /proc/<pid>/maps too. */
export function parseSmaps(smaps: string): Map<string, Mapping> {
  const mappings = new Map<string, Mapping>();
  let current: { -readonly [Field in keyof Mapping]: Mapping[Field] } | null = null;
  for (const line of smaps.split("\n")) {
    const head = HEAD.exec(line);
    if (head !== null) {
      const [start, end] = [Number.parseInt(head[1]!, 16), Number.parseInt(head[2]!, 16)];
      current = { start, end, permissions: head[3]!, inode: Number(head[4]), name: head[5]!, flags: [], heldBytes: 0 };
      mappings.set(line, current);
    } else if (current === null) continue;
    else if (line.startsWith("VmFlags:")) current.flags = line.slice(8).trim().split(" ");
    else if (line.startsWith("Rss:") || line.startsWith("Swap:")) current.heldBytes += Number(/\d+/.exec(line)?.[0]) * 1024;
  }
  return mappings;
}
