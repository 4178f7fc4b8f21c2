import { open, readFile } from "node:fs/promises";
import { basename } from "node:path";
import { type Finding, finding } from "../../platform/findings.js";
import { nameOf } from "./members.js";
import type { OpenFile } from "./open-files.js";

/** How every SQLite database begins (its file format, 1.3). */
const SQLITE_MAGIC = "SQLite format 3\0";
/** By which Lucene (Elasticsearch, OpenSearch, Solr) keeps an index and a node's folder for itself. */
const LUCENE_LOCKS: ReadonlySet<string> = new Set(["write.lock", "node.lock"]);
/** The last digit of an open file's flags, which are octal, tells whether it is open for reading alone. */
const READ_ONLY = 0;

/**
 * A program that remembers which file it has by what no copy shares. SQLite notes the inode's number: at its next write it finds another one under the name and takes the database
 * for moved away (SQLITE_READONLY_DBMOVED), and connections of before and after the move do not know of each other's locks. Lucene notes when its lock was made,
 * and closes the index when that differs.
 */
export async function identityFinding({ pid, descriptor, target, stat }: OpenFile): Promise<Finding | null> {
  if (descriptor === null || stat === null || !stat.isFile() || stat.nlink === 0) return null;
  const isLock = LUCENE_LOCKS.has(basename(target)) && stat.size === 0;
  if (!isLock && stat.size < SQLITE_MAGIC.length) return null;
  const flags = /^flags:\s*\d*([0-7])$/m.exec(await readFile(`/proc/${pid}/fdinfo/${descriptor}`, "utf8").catch(() => ""))?.[1];
  if (flags === undefined || (Number(flags) & 3) === READ_ONLY) return null;
  if (isLock) return finding("file-identity", `${await nameOf(pid)} holds ${target}, as Lucene does`);
  const begins = await firstBytes(`/proc/${pid}/fd/${descriptor}`, SQLITE_MAGIC.length);
  return begins === SQLITE_MAGIC ? finding("file-identity", `${await nameOf(pid)} has ${target} open, an SQLite database`) : null;
}

async function firstBytes(path: string, length: number): Promise<string> {
  const file = await open(path).catch(() => null);
  if (file === null) return "";
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, 0);
    return buffer.toString("latin1", 0, bytesRead);
  } catch {
    return "";
  } finally {
    await file.close();
  }
}
