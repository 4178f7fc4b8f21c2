import { readFile, writeFile } from "node:fs/promises";
import { Command } from "commander";
import type { FreezeAccount, Stretch } from "./freeze-account.js";

const { args } = new Command("draw-freeze")
  .description("Draws where the time of a freeze goes, of what freeze.js printed: each stretch in its place, as long as it took.")
  .argument("<measured.json>")
  .argument("<picture.svg>")
  .parse();
const [from, to] = args as [string, string];
const { accounts, cores, loadAfter, mode } = JSON.parse(await readFile(from, "utf8")) as {
  accounts: FreezeAccount[];
  cores: number;
  loadAfter: number;
  mode: string;
};

const [WIDTH, LEFT, RIGHT, ROW, HEAD] = [920, 270, 70, 20, 46];
const COLOURS: Record<Stretch["by"], string> = { criu: "#4c78a8", docker: "#f2a93b", evenkeel: "#54a24b" };
const NAMES: Record<Stretch["by"], string> = { criu: "runc and CRIU", docker: "Docker", evenkeel: "Evenkeel" };

const parts: string[] = [];
let top = 0;
for (const account of accounts) {
  drawAccount(account, top);
  top += HEAD + account.stretches.length * ROW + 16;
}
const legend = (Object.keys(COLOURS) as Stretch["by"][])
  .map((by, index) => `${box(LEFT + index * 150, top, 12, COLOURS[by])}${text(LEFT + index * 150 + 18, top + 10, NAMES[by])}`)
  .join("");
const note = text(LEFT, top + 34, `medians; ${cores} cores, load ${loadAfter.toFixed(0)} from other work at the time`, "#666");
const height = top + 48;
const style = "font-family='system-ui, sans-serif' font-size='12'";
await writeFile(
  to,
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" ${style}>
<rect width="${WIDTH}" height="${height}" fill="#fff"/>
${parts.join("\n")}
${legend}
${note}
</svg>
`,
);

function drawAccount({ sizeMiB, stretches, blackoutSeconds, runs }: FreezeAccount, y: number): void {
  const total = stretches.reduce((sum, stretch) => sum + stretch.seconds, 0);
  const scale = (WIDTH - LEFT - RIGHT) / total;
  const title = `${mode}, ${sizeMiB} MiB: blackout ${inMilliseconds(blackoutSeconds)}, median of ${runs} moves`;
  parts.push(`<text x="12" y="${y + 26}" font-size="15" font-weight="600" fill="#222">${title}</text>`);
  let begun = 0;
  for (const [index, { what, by, seconds }] of stretches.entries()) {
    const row = y + HEAD + index * ROW;
    const [x, width] = [LEFT + begun * scale, Math.max(1, seconds * scale)];
    parts.push(text(LEFT - 8, row + 12, what, "#222", "end"));
    parts.push(`<line x1="${LEFT}" y1="${row + 17}" x2="${WIDTH - RIGHT}" y2="${row + 17}" stroke="#eee"/>`);
    parts.push(box(x, row + 1, width, COLOURS[by]), text(x + width + 5, row + 12, inMilliseconds(seconds), "#444"));
    begun += seconds;
  }
}

function box(x: number, y: number, width: number, colour: string): string {
  return `<rect x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="13" fill="${colour}"/>`;
}

function text(x: number, y: number, words: string, colour = "#222", anchor = "start"): string {
  return `<text x="${x.toFixed(1)}" y="${y}" fill="${colour}" text-anchor="${anchor}">${words}</text>`;
}

function inMilliseconds(seconds: number): string {
  return `${Math.round(seconds * 1000)} ms`;
}
