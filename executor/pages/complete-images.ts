import { readFile, writeFile } from "node:fs/promises";
import { fieldsOf, messagesOf } from "./image-fields.js";
import { AREA, type Area, GUARDED, MAP_DROPPABLE, MAP_PRIVATE, MM_AREAS } from "./lazy-areas.js";
import { MOST_ENTRY_PAGES, PAGE_BYTES, type PagemapEntry, parsePagemap, withEntries } from "./pagemap-image.js";
import { divide } from "./present-pages.js";

/**
 * Puts into the images of a process the memory that CRIU took for droppable: its areas as what they are, its pages as left with the process, but for guarded ones. An area that
 * CRIU did not take for that is in the images already.
 * @param pid in the container @param areas and what the process holds of them: in ascending order @throws when CRIU knows nothing of an area
 */
export async function completeImages(images: string, pid: number, areas: readonly Area[], present: readonly Area[]): Promise<void> {
  const [mmPath, pagemapPath] = [`${images}/mm-${pid}.img`, `${images}/pagemap-${pid}.img`];
  const [image, pagemap] = await Promise.all([readFile(mmPath), readFile(pagemapPath)]);
  const { mm, dropped, guarded } = asPrivate(image, pid, areas);
  const map = parsePagemap(pagemap, pid);
  const left = divide(divide(dropped, present).held, guarded).gaps;
  const entries = [...map.entries, ...left.flatMap(leftEntries)].sort((one, other) => one.start - other.start);
  await Promise.all([writeFile(mmPath, mm), writeFile(pagemapPath, withEntries(map, entries))]);
}

function leftEntries({ start, end }: Area) {
  const entries: Pick<PagemapEntry, "start" | "pages" | "where" | "isLazy">[] = [];
  for (let at = start; at < end; at += MOST_ENTRY_PAGES * PAGE_BYTES) {
    entries.push({ start: at, pages: Math.min(MOST_ENTRY_PAGES, (end - at) / PAGE_BYTES), where: "left", isLazy: true });
  }
  return entries;
}

/** The image of a memory map with these areas as private where they are droppable, which of them were, and what is guarded: in ascending order. */
function asPrivate(image: Buffer, pid: number, areas: readonly Area[]): { mm: Buffer; dropped: Area[]; guarded: Area[] } {
  const mm = Buffer.from(image);
  const unmet = new Map(areas.map(({ start, end }) => [start, end]));
  const [dropped, guarded]: [Area[], Area[]] = [[], []];
  const [message] = messagesOf(mm, `mm-${pid}.img`);
  for (const { field, at, end } of message === undefined ? [] : fieldsOf(mm, message.begin, message.end)) {
    if (field !== MM_AREAS) continue;
    const fields = fieldsOf(mm, at, end);
    const read = (wanted: number) => fields.find((each) => each.field === wanted);
    const area = { start: read(AREA.start)?.value ?? 0, end: read(AREA.end)?.value ?? 0 };
    const flags = read(AREA.flags);
    if (((read(AREA.status)?.value ?? 0) & GUARDED) !== 0) guarded.push(area);
    else if (unmet.get(area.start) === area.end && unmet.delete(area.start) && flags !== undefined && (flags.value & MAP_DROPPABLE) !== 0) {
      // Both flags are in the number's first byte.
      mm[flags.at] = (mm[flags.at]! & ~MAP_DROPPABLE) | MAP_PRIVATE;
      dropped.push(area);
    }
  }
  const [first] = unmet.keys();
  if (first !== undefined) throw new Error(`the images of process ${pid} have no mapping at 0x${first.toString(16)}`);
  const byStart = (one: Area, other: Area) => one.start - other.start;
  return { mm, dropped: dropped.sort(byStart), guarded: guarded.sort(byStart) };
}
