/** What a page points at. */
export interface References {
  /** Targets of relative links, as written. */
  readonly links: readonly string[];
  /** Names in backticks that read like a path in the project. */
  readonly paths: readonly string[];
  /** Scripts called as `npm run NAME`, `npm start`, `npm test`. */
  readonly scripts: readonly string[];
}

const KNOWN_ENDINGS = /\.(ts|tsx|lua|md|py|sh|svg|yml)$/;
/** Holes to be filled in, patterns, places on some host. */
const NO_PATH = /[*<>{}$…\s:=()[\]|'"\\]|^[/~.@-]|\bNAME\b|^https?:/;

export function referencesOf(text: string, topFolders: ReadonlySet<string>): References {
  const withoutBlocks = text.replace(/^```[\s\S]*?^```/gm, "");
  const quoted = [...withoutBlocks.matchAll(/`([^`\n]+)`/g)].map(([, words]) => words!);
  const looksLikePath = (words: string) =>
    !NO_PATH.test(words) && (KNOWN_ENDINGS.test(words) || (words.includes("/") && topFolders.has(words.split("/")[0]!)));
  return {
    links: [...withoutBlocks.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!).filter((target) => !/^[a-z]+:/.test(target)),
    paths: quoted.filter(looksLikePath),
    scripts: [...text.matchAll(/\bnpm (?:run (?:-s |--silent )?([\w:-]+)|(start|test)\b)/g)].map(([, named, short]) => (named ?? short)!),
  };
}

/** GitHub's anchor of a heading. */
export function anchorsOf(text: string): Set<string> {
  const headings = text.replace(/^```[\s\S]*?^```/gm, "").matchAll(/^#{1,6} (.+)$/gm);
  return new Set(
    [...headings].map(([, heading]) =>
      heading!
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, "")
        .replaceAll(/\s/g, "-"),
    ),
  );
}
