import { existsSync } from "node:fs";
import { mkdir, readdir, rm, symlink, truncate } from "node:fs/promises";

/**
 * Where the images of pre-copy rounds lie, on both ends alike: below the final ones, `images/rounds/1`, `2` …, each with CRIU's link `parent` to
 * the one before, the final ones to the last. The links are relative, so that they hold wherever the folder is.
 */
export function roundFolder(imagesPath: string, round: number): string {
  return `${imagesPath}/rounds/${round}`;
}

/** CRIU's `--parent-path` of a round; null for the first, which has all pages. */
export function parentOfRound(round: number): string | null {
  return round > 1 ? `../${round - 1}` : null;
}

/** The final images' `--parent-path`; null when no round was made. */
export function parentOfFinal(rounds: number): string | null {
  return rounds > 0 ? `rounds/${rounds}` : null;
}

/** An empty folder for the images of a round. Safe to repeat: what an earlier try left is gone. */
export async function makeRoundFolder(imagesPath: string, round: number): Promise<string> {
  const folder = roundFolder(imagesPath, round);
  await rm(folder, { recursive: true, force: true });
  // As the images' own folder: CRIU may open them as the root of a user namespace.
  await mkdir(folder, { recursive: true, mode: 0o755 });
  return folder;
}

/** Ties a received round, or the received final images, to those before it, as CRIU did on the source. */
export async function linkRound(imagesPath: string, round: number): Promise<void> {
  const parent = parentOfRound(round);
  if (parent !== null) await symlink(parent, `${roundFolder(imagesPath, round)}/parent`);
}

export async function linkFinal(imagesPath: string): Promise<void> {
  const rounds = existsSync(`${imagesPath}/rounds`) ? await readdir(`${imagesPath}/rounds`) : [];
  const parent = parentOfFinal(Math.max(0, ...rounds.map(Number)));
  await rm(`${imagesPath}/parent`, { force: true });
  if (parent !== null) await symlink(parent, `${imagesPath}/parent`);
}

/** Frees the pages of a round that has arrived: a later dump asks its parent only which pages it has, not what is in them. */
export async function forgetPages(imagesPath: string, round: number): Promise<void> {
  const folder = roundFolder(imagesPath, round);
  const pages = (await readdir(folder)).filter((name) => name.startsWith("pages-"));
  await Promise.all(pages.map((name) => truncate(`${folder}/${name}`, 0)));
}
