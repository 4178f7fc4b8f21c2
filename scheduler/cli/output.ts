import { styleText } from "node:util";
import Table from "cli-table3";

type Colour = "green" | "yellow" | "red" | "cyan" | "dim" | "bold";

export interface Output {
  readonly json: boolean;
  /** Plain when it does not go to a terminal, or NO_COLOR is set. */
  paint(colour: Colour, text: string): string;
  line(text?: string): void;
  table(head: readonly string[], rows: readonly (readonly string[])[]): void;
  /** The one answer of a command under --json. */
  answer(value: unknown): void;
  /** Something under way: one line that changes on a terminal, a new line for each change elsewhere. Goes to standard error. */
  progress(text: string): void;
  endProgress(): void;
}

const BARE = Object.fromEntries(
  ["top", "top-mid", "top-left", "top-right", "bottom", "bottom-mid", "bottom-left", "bottom-right"]
    .concat(["left", "left-mid", "mid", "mid-mid", "right", "right-mid"])
    .map((place) => [place, ""]),
);

export function makeOutput(json: boolean): Output {
  const coloured = process.stdout.isTTY === true && (process.env["NO_COLOR"] ?? "") === "";
  const paint = (colour: Colour, text: string) => (coloured ? styleText(colour, text) : text);
  let lastProgress = "";
  return {
    json,
    paint,
    line: (text = "") => void process.stdout.write(`${text}\n`),
    table: (head, rows) => {
      const table = new Table({
        head: head.map((text) => paint("dim", text)),
        chars: { ...BARE, middle: "  " },
        style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
      });
      table.push(...rows.map((row) => [...row]));
      const text = table.toString().replace(/[ \t]+$/gm, "");
      process.stdout.write(`${text}\n`);
    },
    answer: (value) => void process.stdout.write(`${JSON.stringify(value, null, 2)}\n`),
    progress: (text) => {
      if (json || text === lastProgress) return;
      lastProgress = text;
      process.stderr.write(process.stderr.isTTY === true ? `\r\x1b[2K${text}` : `${text}\n`);
    },
    endProgress: () => {
      if (lastProgress !== "" && process.stderr.isTTY === true) process.stderr.write("\n");
      lastProgress = "";
    },
  };
}
