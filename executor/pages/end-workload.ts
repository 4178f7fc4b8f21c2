import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";

/** A file in the folder of a restore while its memory is fed from images: if whoever feeds it ends meanwhile, so must the workload. */
export const feedingMark = (folder: string) => `${folder}/feeding`;

/**
 * Ends a restored workload whose memory cannot come any more, as if its program had crashed: since the daemon has gone, the kernel gives zeros for what is missing. Without giving way, for each moment counts.
 * @param folder of its restore, named after the container, with its first process in `init-pid`. That pid may be another's by now, which is left alone.
 */
export function endWorkload(folder: string): void {
  const container = basename(folder);
  const isOwn = (pid: number) => textOf(`/proc/${pid}/cgroup`).includes(container);
  const first = Number(textOf(`${folder}/init-pid`));
  if (!(first > 0) || !isOwn(first)) return;
  kill(first);
  // The others would end only when its memory has been given back.
  for (const name of readdirSync("/proc")) if (/^\d+$/.test(name) && isOwn(Number(name))) kill(Number(name));
}

function kill(pid: number): void {
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
