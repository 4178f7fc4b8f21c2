import type { z } from "zod";

type Path = readonly PropertyKey[];

const SPACE = /\s*/y;
const STRING = /"(?:[^"\\]|\\.)*"/y;
const SCALAR = /[^\s,\]}]+/y;

/** The line (from 1) of a field in valid JSON, or of the nearest thing around it that the text does hold. */
export function lineOfField(text: string, path: Path): number {
  return lineAt(text, findField(text, path));
}

/** Each issue with its line and the whole path of its field, one a line. `root` is where in the text the checked value stands. */
export function describeIssues(text: string, issues: readonly z.core.$ZodIssue[], root: Path = []): string {
  return issues
    .map((issue) => {
      const unknown = issue.code === "unrecognized_keys" ? issue.keys.slice(0, 1) : [];
      const path = [...root, ...issue.path, ...unknown];
      return `line ${lineOfField(text, path)}, ${path.map(String).join(".") || "the whole"}: ${issue.message}`;
    })
    .join("\n");
}

/** What JSON.parse says, with the line when it tells the place. */
export function describeSyntaxError(text: string, { message }: Error): string {
  const position = /at position (\d+)/.exec(message)?.[1];
  return position === undefined ? message : `line ${lineAt(text, Number(position))}: ${message}`;
}

function lineAt(text: string, position: number): number {
  return text.slice(0, position).split("\n").length;
}

function findField(text: string, path: Path): number {
  let at = 0;
  const take = (pattern: RegExp): string => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0] ?? "";
    at += found.length;
    return found;
  };
  const skipValue = () => {
    if (text[at] !== "{" && text[at] !== "[") return void (take(STRING) || take(SCALAR));
    let depth = 0;
    do {
      if (text[at] === '"') {
        take(STRING);
        continue;
      }
      if (text[at] === "{" || text[at] === "[") depth++;
      else if (text[at] === "}" || text[at] === "]") depth--;
      at++;
    } while (depth > 0 && at < text.length);
  };
  let found = 0;
  take(SPACE);
  for (const wanted of path) {
    const isObject = text[at] === "{";
    if (!isObject && text[at] !== "[") return found;
    at++;
    for (let index = 0; ; index++) {
      take(SPACE);
      if (at >= text.length || text[at] === "}" || text[at] === "]") return found;
      const begin = at;
      const name = isObject ? (JSON.parse(take(STRING)) as string) : String(index);
      if (isObject) {
        take(SPACE);
        at++;
        take(SPACE);
      }
      if (name === String(wanted)) {
        found = begin;
        break;
      }
      skipValue();
      take(SPACE);
      if (text[at] === ",") at++;
    }
  }
  return found;
}
