import { readFile } from "node:fs/promises";
import { fieldsOf, messagesOf } from "./image-fields.js";

/** Of a process's address space: from where to where. */
export interface Area {
  readonly start: number;
  readonly end: number;
}

/** images/mm.proto and images/vma.proto of CRIU. */
export const MM_AREAS = 14;
export const AREA = { start: 1, end: 2, flags: 6, status: 7 } as const;
/** Flags of mmap(2). */
export const [MAP_PRIVATE, MAP_DROPPABLE] = [0x2, 0x8];
const [MAP_ANONYMOUS, MAP_LOCKED, MAP_HUGETLB] = [0x20, 0x2000, 0x40000];
/** Of CRIU (criu/include/image.h): where the kernel answers each touch with a fault, by its owner's wish (MADV_GUARD_INSTALL); over a mapping, besides it. */
export const GUARDED = 1 << 16;
/** And vsyscall, vdso, vvar. */
const OF_THE_KERNEL = (1 << 2) | (1 << 3) | (1 << 12);

/** What of a process's memory CRIU registers for pages that come later (vma_entry_can_be_lazy of its criu/include/vma.h), in ascending order. */
export async function readLazyAreas(images: string, pid: number): Promise<Area[]> {
  const name = `mm-${pid}.img`;
  const image = await readFile(`${images}/${name}`);
  const [mm] = messagesOf(image, name);
  const areas = mm === undefined ? [] : fieldsOf(image, mm.begin, mm.end).filter(({ field }) => field === MM_AREAS);
  return areas
    .flatMap(({ at, end }) => {
      const fields = fieldsOf(image, at, end);
      const read = (wanted: number) => fields.find(({ field }) => field === wanted)?.value ?? 0;
      const flags = read(AREA.flags);
      const isPrivate = (flags & MAP_PRIVATE) !== 0 && (flags & MAP_ANONYMOUS) !== 0;
      const isKept = (flags & (MAP_LOCKED | MAP_HUGETLB)) !== 0 || (read(AREA.status) & OF_THE_KERNEL) !== 0;
      return isPrivate && !isKept ? [{ start: read(AREA.start), end: read(AREA.end) }] : [];
    })
    .sort((a, b) => a.start - b.start);
}
