import { readFileSync } from "node:fs";
import { projectPath } from "../../platform/paths.js";

/**
 * What an interface's comments say of its members: `readonly name: …` -> the doc comment right above it, as one line. A comment that ends in
 * "…" goes on at the next member, so that one starts with "…" too.
 */
export function commentsOf(sourceFile: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  let comment: string[] = [];
  for (const line of readFileSync(projectPath(sourceFile), "utf8")
    .split("\n")
    .map((each) => each.trim())) {
    const member = /^readonly (\w+)\??:/.exec(line)?.[1];
    if (/^\/?\*/.test(line)) {
      comment = line.startsWith("/**") ? [line] : [...comment, line];
    } else {
      if (member !== undefined && comment.length > 0) found.set(member, sayPlainly(comment));
      comment = [];
    }
  }
  return found;
}

function sayPlainly(lines: readonly string[]): string {
  return lines
    .map((line) => line.replace(/^\/\*\*|\*\/$/g, "").replace(/^\s*\*\s?/, ""))
    .join(" ")
    .replace(/\s+/g, " ")
    .trim();
}
