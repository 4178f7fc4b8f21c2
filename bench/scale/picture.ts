import { readFileSync, writeFileSync } from "node:fs";
import { drawGrowth } from "./draw-growth.js";
import type { ScaleResult } from "./measure.js";

const [from, to] = process.argv.slice(2);
if (from === undefined || to === undefined) {
  process.stderr.write("usage: node dist/bench/scale/picture.js RESULTS.json PICTURE.svg\n");
  process.exit(2);
}
writeFileSync(to, drawGrowth(JSON.parse(readFileSync(from, "utf8")) as ScaleResult[]));
