import { chmod, cp, lstat, lutimes, mkdir, readdir, readFile, readlink, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { execa } from "execa";
import type { ImageRecipe, Tree } from "./image-table.js";
import { libraryClosure } from "./library-closure.js";

const ELF = Buffer.from("\x7fELF", "latin1");
const BUSYBOX = "/usr/bin/busybox";

/** Debian's merged /usr: these are links, in the root file system and in the images. */
const MERGED = ["bin", "sbin", "lib", "lib64"];

const BASE_FOLDERS = [
  "/dev",
  "/etc",
  "/proc",
  "/run",
  "/sys",
  "/tmp",
  "/root",
  "/var/tmp",
  "/usr/bin",
  "/usr/sbin",
  "/usr/lib",
  "/usr/lib64",
];

const BASE_FILES: ReadonlyMap<string, string> = new Map([
  [
    "/etc/passwd",
    "root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33:www-data:/var/www:/bin/false\nnobody:x:65534:65534:nobody:/:/bin/false\n",
  ],
  ["/etc/group", "root:x:0:\nwww-data:x:33:\nnogroup:x:65534:\n"],
  ["/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"],
  ["/etc/hosts", "127.0.0.1 localhost\n"],
]);

/** Lays out the image's files in the empty folder `stage`. Nothing in it depends on when or by whom it was made. */
export async function stageImage(root: string, recipe: ImageRecipe, stage: string): Promise<void> {
  for (const folder of [...BASE_FOLDERS, ...recipe.folders]) await mkdir(join(stage, folder), { recursive: true });
  for (const name of MERGED) await symlink(`usr/${name}`, join(stage, name));

  const programs = [BUSYBOX, ...recipe.programs];
  const objects = [...recipe.programs];
  for (const tree of recipe.trees) objects.push(...(await copyTree(root, tree, stage)));
  for (const path of [...programs, ...(await libraryClosure(root, objects))]) await copyWithLinks(root, unmerged(path), stage);

  const ownFiles = new Map([...BASE_FILES, ...recipe.files()]);
  for (const [path, contents] of ownFiles) {
    await mkdir(dirname(join(stage, path)), { recursive: true });
    await writeFile(join(stage, path), contents);
  }
  await linkApplets(root, stage);
  await settle(stage, root, ownFiles);
}

/** Copies one file and every link on the way to it, each under its own name. */
async function copyWithLinks(root: string, path: string, stage: string): Promise<void> {
  await mkdir(dirname(join(stage, path)), { recursive: true });
  await cp(join(root, path), join(stage, path), { preserveTimestamps: true, verbatimSymlinks: true, dereference: false });
  if (!(await lstat(join(root, path))).isSymbolicLink()) return;
  await copyWithLinks(root, unmerged(resolve(dirname(path), await readlink(join(root, path)))), stage);
}

function unmerged(path: string): string {
  return MERGED.includes(path.split("/")[1] ?? "") ? `/usr${path}` : path;
}

/** Gives the programs and shared objects of the tree. */
async function copyTree(root: string, tree: Tree, stage: string): Promise<string[]> {
  const name = (await readdir(join(root, tree.inside))).find((entry) => tree.named.test(entry));
  if (!name) throw new Error(`${root}${tree.inside} holds no folder named ${tree.named}`);
  const path = join(tree.inside, name);
  await cp(join(root, path), join(stage, path), {
    recursive: true,
    preserveTimestamps: true,
    verbatimSymlinks: true,
    filter: async (source) => !tree.without.test(basename(source)) && (tree.keepLinks === true || !(await lstat(source)).isSymbolicLink()),
  });
  const files = (await readdir(join(stage, path), { recursive: true })).filter((file) => /\.so$|^([^/]+\/)?bin\//.test(file));
  const linked = await Promise.all(files.map(async (file) => ((await isLinked(join(stage, path, file))) ? [join(path, file)] : [])));
  return linked.flat();
}

/** Scripts are not; `ldd` would refuse them. */
async function isLinked(path: string): Promise<boolean> {
  return (await readFile(path)).subarray(0, ELF.length).equals(ELF);
}

async function linkApplets(root: string, stage: string): Promise<void> {
  const { stdout } = await execa(join(root, BUSYBOX), ["--list"]);
  const taken = new Set(await readdir(join(stage, "usr/bin")));
  for (const applet of stdout.split("\n")) {
    if (!taken.has(applet)) await symlink("busybox", join(stage, "usr/bin", applet));
  }
}

/**
 * What comes from a package keeps the package's time and mode: Python checks its compiled files against the time, and compiles all of
 * them again on each start where it differs. All else gets the epoch, and a mode that does not depend on the umask.
 */
async function settle(stage: string, root: string, ownFiles: ReadonlyMap<string, unknown>): Promise<void> {
  for (const entry of await readdir(stage, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const inside = path.slice(stage.length);
    const fromPackage = entry.isFile() && !ownFiles.has(inside) ? await lstat(join(root, inside)) : null;
    if (!entry.isSymbolicLink()) await chmod(path, fromPackage?.mode ?? (entry.isDirectory() ? folderMode(inside) : 0o644));
    const seconds = (fromPackage?.mtimeMs ?? 0) / 1000;
    await lutimes(path, seconds, seconds);
  }
  await chmod(stage, 0o755);
  await lutimes(stage, 0, 0);
}

function folderMode(path: string): number {
  return path === "/tmp" || path === "/var/tmp" ? 0o1777 : 0o755;
}
