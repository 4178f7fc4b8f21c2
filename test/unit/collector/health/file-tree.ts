import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { makeProbe } from "../../../../collector/probe.js";

export interface FileTree {
  readonly root: string;
  write(path: string, text: string | number): Promise<void>;
  remove(path: string): Promise<void>;
  /** A fresh probe on it. */
  probe(): ReturnType<typeof makeProbe>;
}

/** A folder that stands for a node's `/proc` and `/sys`; gone after `work`. */
export async function withFileTree(
  files: Readonly<Record<string, string | number>>,
  work: (tree: FileTree) => Promise<void>,
): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), "evenkeel-health-"));
  const write = async (path: string, text: string | number) => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), `${text}\n`);
  };
  try {
    for (const [path, text] of Object.entries(files)) await write(path, text);
    await work({ root, write, remove: (path) => rm(join(root, path), { recursive: true, force: true }), probe: () => makeProbe(root) });
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
