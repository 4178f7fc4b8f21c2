import type { ScaleResult } from "./measure.js";

interface Series {
  readonly title: string;
  readonly unit: string;
  readonly lines: readonly { readonly name: string; readonly colour: string; readonly value: (result: ScaleResult) => number }[];
}

const WIDTH = 320;
const HEIGHT = 220;
const MARGIN = { left: 46, right: 12, top: 44, bottom: 34 };
const TEXT = "#57606a";
const GRID_LINES = 4;
const LABEL_WIDTH = 28;

const SERIES: readonly Series[] = [
  {
    title: "CPU time of one tick",
    unit: "s",
    lines: [
      { name: "p50", colour: "#2f6f9f", value: ({ tickCpuSecondsP50 }) => tickCpuSecondsP50 ?? 0 },
      { name: "p99", colour: "#c2571a", value: ({ tickCpuSecondsP99 }) => tickCpuSecondsP99 ?? 0 },
    ],
  },
  {
    title: "cores in use, all the time",
    unit: "",
    lines: [
      { name: "scheduler", colour: "#2f6f9f", value: ({ schedulerCpuRatio }) => schedulerCpuRatio },
      { name: "Redis", colour: "#c2571a", value: ({ redisCpuRatio }) => redisCpuRatio },
    ],
  },
  {
    title: "memory",
    unit: "MB",
    lines: [
      { name: "scheduler", colour: "#2f6f9f", value: ({ schedulerRssBytes }) => schedulerRssBytes / 1e6 },
      { name: "Redis", colour: "#c2571a", value: ({ redisBytes }) => redisBytes / 1e6 },
    ],
  },
];

/** One small chart for each thing that grows, over the number of nodes. */
export function drawGrowth(results: readonly ScaleResult[]): string {
  const inOrder = [...results].sort((a, b) => a.nodes - b.nodes);
  const charts = SERIES.map((series, index) => `<g transform="translate(${index * WIDTH} 0)">${drawChart(series, inOrder)}</g>`);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH * SERIES.length} ${HEIGHT}" font-family="sans-serif" font-size="11">`,
    `<rect width="100%" height="100%" fill="#ffffff"/>`,
    ...charts,
    "</svg>",
    "",
  ].join("\n");
}

function drawChart({ title, unit, lines }: Series, results: readonly ScaleResult[]): string {
  const mostNodes = Math.max(...results.map(({ nodes }) => nodes));
  const most = roundUp(Math.max(...lines.flatMap(({ value }) => results.map(value))));
  const x = (nodes: number) => MARGIN.left + (nodes / mostNodes) * (WIDTH - MARGIN.left - MARGIN.right);
  const y = (value: number) => HEIGHT - MARGIN.bottom - (value / most) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const text = (left: number, top: number, words: string, style = `fill="${TEXT}"`) =>
    `<text x="${left.toFixed(1)}" y="${top.toFixed(1)}" ${style}>${words}</text>`;
  const grid = Array.from({ length: GRID_LINES + 1 }, (_, step) => (most * step) / GRID_LINES).flatMap((value) => [
    `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${y(value).toFixed(1)}" y2="${y(value).toFixed(1)}" stroke="#e4e8ec"/>`,
    text(MARGIN.left - 6, y(value) + 4, String(Number(value.toPrecision(3))), `fill="${TEXT}" text-anchor="end"`),
  ]);
  const roomy = results.filter(({ nodes }, index) => {
    const next = results[index + 1];
    return next === undefined || x(next.nodes) - x(nodes) >= LABEL_WIDTH;
  });
  const nodes = roomy.map((result) =>
    text(x(result.nodes), HEIGHT - MARGIN.bottom + 16, String(result.nodes), `fill="${TEXT}" text-anchor="middle"`),
  );
  const drawn = lines.flatMap(({ name, colour, value }, index) => [
    `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${results.map((result) => `${x(result.nodes).toFixed(1)},${y(value(result)).toFixed(1)}`).join(" ")}"/>`,
    ...results.map((result) => `<circle cx="${x(result.nodes).toFixed(1)}" cy="${y(value(result)).toFixed(1)}" r="3" fill="${colour}"/>`),
    text(MARGIN.left + index * 90, 34, name, `fill="${colour}"`),
  ]);
  const heading = text(MARGIN.left, 18, unit === "" ? title : `${title}, ${unit}`, 'fill="#1f2328" font-size="13" font-weight="bold"');
  return [heading, ...grid, ...nodes, text(WIDTH - MARGIN.right, HEIGHT - 4, "nodes", `fill="${TEXT}" text-anchor="end"`), ...drawn].join(
    "\n",
  );
}

/** The next 1, 2, 3, 4, 5 or 8 times a power of ten: grid lines get short numbers. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 3, 4, 5, 8, 10].find((step) => step * power >= value) ?? 10) * power;
}
