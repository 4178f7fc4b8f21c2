import { fileURLToPath } from "node:url";

/** An absolute path below the project's top folder, wherever this compiled file runs from (`dist/platform`). */
export function projectPath(relative: string): string {
  return fileURLToPath(new URL(`../../${relative}`, import.meta.url));
}
