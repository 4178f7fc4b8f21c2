import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect } from "chai";
import { projectPath } from "../../../platform/paths.js";
import { projectFiles } from "../../support/project-files.js";
import { anchorsOf, referencesOf } from "./references.js";

/** Named in a page although they are not in the project, and why. */
const ELSEWHERE = new Map<string, string>([["cr-restore.c", "a source file of CRIU"]]);

const files = projectFiles();
const pages = files.filter((path) => path.endsWith(".md"));
const folders = new Set(files.flatMap((path) => path.split("/").map((_, index, parts) => parts.slice(0, index).join("/"))));
const topFolders = new Set([...folders].filter((path) => path !== "" && !path.includes("/")));
const scripts = Object.keys((JSON.parse(readFileSync(projectPath("package.json"), "utf8")) as { scripts: object }).scripts);
const read = (path: string) => readFileSync(projectPath(path), "utf8");

/** A path from the top folder, from the page's own, or the tail of one: pages name files as briefly as is clear. */
function isThere(named: string, page: string): boolean {
  const path = named.replace(/\/$/, "").replace(/^dist\/(.*)\.js$/, "$1.ts");
  if (folders.has(path) || folders.has(join(dirname(page), path))) return true;
  const tail = `/${path.replace(/^(\.\.\/)+/, "")}`;
  return files.some((file) => `/${file}`.endsWith(tail)) || [...folders].some((folder) => `/${folder}`.endsWith(tail));
}

describe("The documentation", () => {
  it("is there", () => {
    expect(pages).to.include.members(["README.md", "CONTRIBUTING.md", "docs/architecture.md", "docs/installation.md"]);
  });

  for (const page of pages) {
    const { links, paths, scripts: named } = referencesOf(read(page), topFolders);

    it(`${page} links only to what exists`, () => {
      const broken = links.filter((link) => {
        const [target = "", anchor] = link.split("#");
        const path = target === "" ? page : normalize(join(dirname(page), decodeURIComponent(target)));
        if (!existsSync(projectPath(path))) return true;
        return anchor !== undefined && path.endsWith(".md") && !anchorsOf(read(path)).has(anchor);
      });
      expect(broken).to.deep.equal([]);
    });

    it(`${page} names only files and npm scripts that exist`, () => {
      expect(paths.filter((path) => !ELSEWHERE.has(path) && !isThere(path, page))).to.deep.equal([]);
      expect(named.filter((script) => !scripts.includes(script))).to.deep.equal([]);
    });
  }

  it("is there where code refers to it", () => {
    const sources = files.filter((path) => /\.(ts|tsx|lua|sh|py|ya?ml)$|^bin\//.test(path) && !path.startsWith("test/unit/docs/"));
    const missing = sources.flatMap((path) =>
      [...read(path).matchAll(/\b(?:docs|[a-z]+)\/[\w/-]*\w\.md\b/g)].map(([target]) => target).filter((target) => !isThere(target, path)),
    );
    expect(missing).to.deep.equal([]);
  });
});

describe("What a page points at", () => {
  const found = referencesOf(
    "See [a](b.md#c), [web](https://x.y), `policies/none.ts`, `lab/*.ts`, `/etc/a.md`; `npm run lint`, npm test.\n```\n[no](no.md) `lab/no.ts` npm run inside\n```\n",
    new Set(["policies", "lab"]),
  );

  it("is every relative link, not what a block of code shows", () => {
    expect(found.links).to.deep.equal(["b.md#c"]);
  });

  it("is every path, but no pattern and nothing outside the project", () => {
    expect(found.paths).to.deep.equal(["policies/none.ts"]);
  });

  it("is every npm script, those in blocks of code too", () => {
    expect(found.scripts).to.deep.equal(["lint", "test", "inside"]);
  });
});
