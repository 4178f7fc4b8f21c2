import { writeFile } from "node:fs/promises";
import type { WorkloadDescription } from "../engine.js";
import type { DockerConfig } from "./describe.js";

/**
 * Tells the action script which settings of its network namespace the workload was given (`docker run --sysctl net.…`), one `path value` a line: a
 * restore makes that namespace anew. Those of its IPC namespace come with CRIU's images.
 */
export async function noteSysctls(folder: string, { engineConfig }: WorkloadDescription): Promise<void> {
  const lines = sysctlLines((engineConfig as DockerConfig).HostConfig.Sysctls ?? {});
  if (lines.length > 0) await writeFile(`${folder}/sysctls`, lines.map((line) => `${line}\n`).join(""));
}

/** As sysctl(8) reads names: dots part the folders, and a slash stands for a dot in one of them. */
export function sysctlLines(sysctls: Readonly<Record<string, string>>): string[] {
  return Object.entries(sysctls)
    .map(([name, value]) => ({ parts: name.split(".").map((part) => part.replaceAll("/", ".")), value: value.replaceAll("\n", " ") }))
    .filter(({ parts }) => parts[0] === "net" && parts.every((part) => /^[\w.-]+$/.test(part) && part !== ".." && part !== "."))
    .map(({ parts, value }) => `${parts.join("/")} ${value}`);
}
