import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";

/** Where version 2 is alone, its root says which controllers there are. */
const UNIFIED = "/sys/fs/cgroup/cgroup.controllers";

/**
 * runc makes and enters the container's cgroup itself. Where hosts have version 2 alone, CRIU would in addition remount it on restore without the
 * host's options (checkpoint-restore/criu#3029), so it is told to keep its hands off, on both ends.
 */
export function cgroupFlags(): readonly string[] {
  return isUnified() ? ["--manage-cgroups-mode", "ignore"] : [];
}

/** Whether version 2 is alone here. */
export function isUnified(): boolean {
  return existsSync(UNIFIED);
}

/**
 * With its hands off CRIU makes no cgroup namespace either (checkpoint-restore/criu#3139, newer than 4.2): `executor/shim/as-criu/criu` sees to it then.
 * @param namespaces of the runtime's configuration; one with a path is another's
 */
export async function noteCgroupNamespace(
  folder: string,
  namespaces: readonly { readonly type: string; readonly path?: string }[],
): Promise<void> {
  const isPrivate = namespaces.some(({ type, path }) => type === "cgroup" && !path);
  if (isPrivate && isUnified()) await writeFile(`${folder}/cgroup-private`, "");
}
