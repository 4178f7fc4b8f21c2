import { type Finding, finding } from "../../../platform/findings.js";
import { mebibytes } from "../../preflight/room.js";
import type { WorkloadDescription } from "../engine.js";
import type { Inspection } from "./describe.js";
import { describeDivided, findDivided, readSharers } from "./divided-files.js";
import type { DockerHost } from "./docker-host.js";
import { readSystemVBytes } from "./shared-ipc.js";

/** What of the memory that others share with a workload could not be shared afterwards. Asked of whose it is. */
export async function memoryFindings(host: DockerHost, description: WorkloadDescription, seen: Inspection): Promise<Finding[]> {
  if (description.sharedIpc.joiners.length === 0 || seen.State.Pid === 0) return [];
  const divided = await findDivided(await readSharers(host, description));
  const bytes = await readSystemVBytes(seen.State.Pid);
  const limit = seen.HostConfig.Memory ?? 0;
  return [
    ...(divided === null ? [] : [finding("shared-file-nameless", await describeDivided(divided))]),
    ...(limit === 0 || bytes < limit
      ? []
      : [
          finding(
            "shared-memory-large",
            `All System V memory, ${mebibytes(bytes)}, counts as its own once it is restored; its limit is ${mebibytes(limit)}`,
          ),
        ]),
  ];
}
