import { readdir, readFile, stat, statfs } from "node:fs/promises";
import { type Finding, finding } from "../../platform/findings.js";

/** Left for everything else on the disk. */
const DISK_RESERVE_BYTES = 64 * 2 ** 20;
const HUGE_PAGES = "/sys/kernel/mm/hugepages";

export interface Place {
  readonly folder: string;
  /** To be written there. */
  readonly bytes: number;
}

/** Whether the disks have room for all that is to be written; places may share one. */
export async function roomFindings(places: readonly Place[]): Promise<Finding[]> {
  const disks = new Map<number, { folders: string[]; bytes: number; free: number }>();
  for (const { folder, bytes } of places) {
    const { dev } = await stat(folder);
    const { bavail, bsize } = await statfs(folder);
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

export async function freeHugePageBytes(): Promise<number> {
  let bytes = 0;
  for (const size of await readdir(HUGE_PAGES).catch(() => [])) {
    const kilobytes = Number(/(\d+)kB/.exec(size)?.[1] ?? 0);
    bytes += 1024 * kilobytes * Number(await readFile(`${HUGE_PAGES}/${size}/free_hugepages`, "utf8").catch(() => "0"));
  }
  return bytes;
}

export function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}
