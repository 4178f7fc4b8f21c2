import { writeFile } from "node:fs/promises";

/**
 * Tells the hook of a restore which settings of its network namespace the engine gives the workload, one `path value` a line: a restore makes that namespace anew,
 * and runc sets them in a fresh start only. Those that were asked for (`docker run --sysctl net.…`), and the engine's own: Docker lets everyone open ports below 1024 and
 * send pings. Those of its IPC namespace come with CRIU's images.
 */
export async function noteSysctls(folder: string, sysctls: Readonly<Record<string, string>>): Promise<void> {
  const lines = sysctlLines(sysctls);
  if (lines.length > 0) await writeFile(`${folder}/sysctls`, lines.map((line) => `${line}\n`).join(""));
}

/** As sysctl(8) reads names: dots part the folders, and a slash stands for a dot in one of them. */
export function sysctlLines(sysctls: Readonly<Record<string, string>>): string[] {
  return Object.entries(sysctls)
    .map(([name, value]) => ({ parts: name.split(".").map((part) => part.replaceAll("/", ".")), value: value.replaceAll("\n", " ") }))
    .filter(({ parts }) => parts[0] === "net" && parts.every((part) => /^[\w.-]+$/.test(part) && part !== ".." && part !== "."))
    .map(({ parts, value }) => `${parts.join("/")} ${value}`);
}
