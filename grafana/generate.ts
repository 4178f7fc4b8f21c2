import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { projectPath } from "../platform/paths.js";
import { generatedFiles } from "./generated-files.js";

for (const [path, text] of await generatedFiles()) {
  mkdirSync(dirname(projectPath(path)), { recursive: true });
  writeFileSync(projectPath(path), text);
  process.stdout.write(`${path}\n`);
}
