import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";

/** A file in the folder of a restore while its memory is fed from images: if whoever feeds it ends meanwhile, so must the workload. */
export const feedingMark = (folder: string) => `${folder}/feeding`;

/**
 * Ends a restored workload whose memory cannot come any more, as if its program had crashed: since the daemon has gone, the kernel gives zeros for what is missing. Without giving way, for each moment counts.
 * @param folder of its restore, named after the container, with its first process in `init-pid`. That pid may be another's by now, which is left alone.
 */
export function endWorkload(folder: string): void {
  const pid = Number(textOf(`${folder}/init-pid`));
  const groups = pid > 0 ? textOf(`/proc/${pid}/cgroup`) : "";
  if (!groups.includes(basename(folder))) return;
  try {
    // All of its processes at once: with the first alone the others end only when its memory has been given back.
    const [, group] = /^0::(.*)$/m.exec(groups) ?? [];
    if (group?.includes(basename(folder))) writeFileSync(`/sys/fs/cgroup${group}/cgroup.kill`, "1");
  } catch {
    // Before Linux 5.14, or where only a part of the hierarchy is mounted.
  }
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
