import { readFileSync } from "node:fs";
import { basename } from "node:path";

/**
 * Ends a restored workload whose memory cannot come any more, as if its program had crashed: since the daemon has gone, the kernel gives zeros for what is missing. Without giving way, for each moment counts.
 * @param folder of its restore, named after the container, with its first process in `init-pid`. That pid may be another's by now, which is left alone.
 */
export function endWorkload(folder: string): void {
  const read = (path: string) => {
    try {
      return readFileSync(path, "utf8");
    } catch {
      return "";
    }
  };
  const pid = Number(read(`${folder}/init-pid`));
  if (pid > 0 && read(`/proc/${pid}/cgroup`).includes(basename(folder))) process.kill(pid, "SIGKILL");
}
