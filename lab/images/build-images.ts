import { createHash } from "node:crypto";
import { access, mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { IMAGES, type ImageRecipe } from "./image-table.js";
import { stageImage } from "./stage-image.js";

export interface BuiltImage {
  readonly reference: string;
  /** A plain tar for `docker import`. */
  readonly tar: string;
  readonly changes: readonly string[];
}

export interface ImageProgress {
  readonly image: string;
  readonly done: number;
  readonly total: number;
}

export interface ImageOptions {
  /** Those of the lab's own workloads by default. */
  readonly recipes?: readonly ImageRecipe[];
  readonly onProgress?: (progress: ImageProgress) => void;
}

/** Raised when images must be made anew although neither recipes nor packages changed. */
const LAYOUT_VERSION = 1;

/**
 * Makes images from a root file system, or finds them in `<cacheDirectory>/images-<hash>/`; the hash covers recipes, workload
 * programs and the root's package versions. Needs root (ldd runs in a chroot). A build that was killed leaves nothing that is taken for whole.
 */
export async function buildImages(
  root: string,
  cacheDirectory: string,
  { recipes = IMAGES, onProgress = () => {} }: ImageOptions = {},
): Promise<BuiltImage[]> {
  const folder = join(cacheDirectory, `images-${await contentHash(root, recipes)}`);
  await mkdir(folder, { recursive: true });
  await removeAbandonedStages(folder);
  const built: BuiltImage[] = [];
  for (const recipe of recipes) {
    onProgress({ image: recipe.name, done: built.length, total: recipes.length });
    const tar = join(folder, `${recipe.name}.tar`);
    if (!(await exists(tar))) await buildTar(root, recipe, tar);
    built.push({ reference: recipe.reference, tar, changes: recipe.changes });
  }
  onProgress({ image: "", done: built.length, total: recipes.length });
  return built;
}

async function buildTar(root: string, recipe: ImageRecipe, tar: string): Promise<void> {
  const stage = `${tar}.stage-${process.pid}`;
  try {
    await mkdir(join(stage, "files"), { recursive: true });
    await stageImage(root, recipe, join(stage, "files"));
    const whole = join(stage, "whole.tar");
    const what = ["--create", "--file", whole, "--directory", join(stage, "files")];
    await execa("tar", [...what, "--sort=name", "--sparse", "--format=gnu", "--owner=0", "--group=0", "--numeric-owner", "."]);
    await rename(whole, tar);
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

async function contentHash(root: string, recipes: readonly ImageRecipe[]): Promise<string> {
  const hash = createHash("sha256").update(await readFile(join(root, "var/lib/dpkg/status")));
  const plain = (_key: string, value: unknown) => (value instanceof RegExp ? value.source : value);
  hash.update(JSON.stringify([LAYOUT_VERSION, recipes], plain));
  for (const recipe of recipes) for (const [path, contents] of recipe.files()) hash.update(path).update(contents);
  return hash.digest("hex").slice(0, 16);
}

/** Another build may be at work on the same cache: only what belongs to processes that are gone is removed. */
async function removeAbandonedStages(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const owner = /\.stage-(\d+)$/.exec(name)?.[1];
    if (owner && (owner === String(process.pid) || !(await exists(`/proc/${owner}`))))
      await rm(join(folder, name), { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
