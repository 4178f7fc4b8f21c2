import { readdirSync } from "node:fs";
import { join } from "node:path";
import { projectPath } from "../../platform/paths.js";

/** What is made from the project, or is not part of it. */
const OUTSIDE = new Set(["node_modules", "dist", "coverage", ".git"]);

/** Every file of the project, as a path below its top folder. */
export function projectFiles(folder = ""): string[] {
  return readdirSync(projectPath(folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return OUTSIDE.has(entry.name) ? [] : projectFiles(path);
    return entry.isFile() ? [path] : [];
  });
}
