import { access, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** Where a value came from; the label `source` of `evenkeel_collector_failed_reads_total`. */
export type Source =
  | "cpu"
  | "memory"
  | "pressure"
  | "network"
  | "disk"
  | "cgroups"
  | "containers"
  | "workload"
  | "maintenance"
  | "cordon"
  | "identity"
  | "health";

export interface Failure {
  readonly source: Source;
  readonly message: string;
}

/** Reads kernel files below one root and keeps account of every read that failed. */
export interface Probe {
  readonly failures: readonly Failure[];
  /** The parsed file, or null and a failure. */
  read<T>(source: Source, path: string, parse: (text: string) => T): Promise<T | null>;
  /** As `read`, but a file that this kernel does not have is no failure. */
  readIfPresent<T>(source: Source, path: string, parse: (text: string) => T): Promise<T | null>;
  exists(path: string): Promise<boolean>;
  /** The names in a folder, in order; none when it is not there. */
  list(folder: string): Promise<readonly string[]>;
  fail(source: Source, message: string): void;
}

/** PSI files exist but answer EOPNOTSUPP when the kernel was booted with psi=0. */
const ABSENT = new Set(["ENOENT", "EOPNOTSUPP", "ENOTSUP"]);

/** `root` is "/" on a node; tests give a folder with captured files. */
export function makeProbe(root = "/"): Probe {
  const failures: Failure[] = [];
  const readOr = async <T>(source: Source, path: string, parse: (text: string) => T, absent: ReadonlySet<string>): Promise<T | null> => {
    try {
      return parse(await readFile(join(root, path), "utf8"));
    } catch (error) {
      if (!absent.has((error as NodeJS.ErrnoException).code ?? "")) failures.push({ source, message: `${path}: ${reasonOf(error)}` });
      return null;
    }
  };
  return {
    failures,
    read: (source, path, parse) => readOr(source, path, parse, new Set()),
    readIfPresent: (source, path, parse) => readOr(source, path, parse, ABSENT),
    exists: (path) =>
      access(join(root, path)).then(
        () => true,
        () => false,
      ),
    list: (folder) =>
      readdir(join(root, folder)).then(
        (names) => names.sort(),
        () => [],
      ),
    fail: (source, message) => void failures.push({ source, message }),
  };
}

function reasonOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? (error as Error).message;
}
