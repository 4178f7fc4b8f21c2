import { writeFileSync } from "node:fs";
import { projectPath } from "../../platform/paths.js";
import { generatedPages } from "./generated-pages.js";

for (const [path, text] of generatedPages()) {
  writeFileSync(projectPath(path), text);
  process.stdout.write(`${path}\n`);
}
