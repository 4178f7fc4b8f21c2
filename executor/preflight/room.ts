import { readdir, readFile, stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { type Finding, finding } from "../../platform/findings.js";

/** Left for everything else on the disk. */
const DISK_RESERVE_BYTES = 64 * 2 ** 20;
const HUGE_PAGES = "/sys/kernel/mm/hugepages";

export interface Place {
  readonly folder: string;
  /** To be written there. */
  readonly bytes: number;
}

/** The folder, or the first above it that is there. */
async function nearest(folder: string): Promise<string> {
  const isThere = await stat(folder).then(
    () => true,
    () => false,
  );
  return isThere || folder === "/" ? folder : nearest(dirname(folder));
}

/** Whether the disks have room for all that is to be written; places may share one. */
export async function roomFindings(places: readonly Place[]): Promise<Finding[]> {
  const disks = new Map<number, { folders: string[]; bytes: number; free: number }>();
  for (const { folder, bytes } of places) {
    const there = await nearest(folder);
    const { dev } = await stat(there);
    const { bavail, bsize } = await statfs(there);
    const disk = disks.get(dev) ?? { folders: [], bytes: 0, free: bavail * bsize };
    disks.set(dev, { ...disk, folders: [...disk.folders, folder], bytes: disk.bytes + bytes });
  }
  return [...disks.values()]
    .filter(({ bytes, free }) => bytes > 0 && bytes + DISK_RESERVE_BYTES > free)
    .map(({ folders, bytes, free }) =>
      finding(
        "disk-short",
        `${folders.join(" and ")} need ${mebibytes(bytes)} and ${mebibytes(DISK_RESERVE_BYTES)} to spare; ${mebibytes(free)} are free`,
      ),
    );
}

/** Bytes of huge pages of all sizes that this machine has, or has free. */
export async function hugePageBytes(which: "nr_hugepages" | "free_hugepages"): Promise<number> {
  let bytes = 0;
  for (const size of await readdir(HUGE_PAGES).catch(() => [])) {
    const kilobytes = Number(/(\d+)kB/.exec(size)?.[1] ?? 0);
    bytes += 1024 * kilobytes * Number(await readFile(`${HUGE_PAGES}/${size}/${which}`, "utf8").catch(() => "0"));
  }
  return bytes;
}

export function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}
