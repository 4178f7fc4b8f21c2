import { createReadStream } from "node:fs";
import type Docker from "dockerode";
import type { BuiltImage } from "./build-images.js";

/**
 * Imports the images into the first engine where it lacks them, and copies them from there to the others, so that an image has the same
 * id everywhere: each import of the same tar makes an image of another id. Throws with Docker's own words.
 */
export async function spreadImages(engines: readonly Docker[], images: readonly BuiltImage[]): Promise<void> {
  const [first, ...others] = engines;
  if (!first) return;
  const spread = images.map(async (image) => {
    await importImage(first, image);
    const id = await imageId(first, image.reference);
    await Promise.all(others.map((engine) => copyImage(first, engine, image.reference, id)));
  });
  await Promise.all(spread);
}

/** Imports one image unless the engine has it from this very tar. */
export async function importImage(docker: Docker, image: BuiltImage): Promise<void> {
  const label = `io.evenkeel.lab.tar=${image.tar}`;
  const present = await docker.listImages({ filters: { reference: [image.reference], label: [label] } });
  if (present.length > 0) return;
  const [repo, tag] = image.reference.split(":");
  await finished(
    docker,
    await docker.importImage(createReadStream(image.tar), { repo, tag, changes: [...image.changes, `LABEL ${label}`] }),
  );
}

async function copyImage(from: Docker, to: Docker, reference: string, id: string | null): Promise<void> {
  if ((await imageId(to, reference)) === id) return;
  await finished(to, await to.loadImage(await from.getImage(reference).get()));
}

async function imageId(docker: Docker, reference: string): Promise<string | null> {
  const image = await docker
    .getImage(reference)
    .inspect()
    .catch(() => null);
  return image?.Id ?? null;
}

/** Docker reports failures in the stream, after it has answered 200. */
function finished(docker: Docker, stream: NodeJS.ReadableStream): Promise<void> {
  return new Promise((resolve, reject) => {
    docker.modem.followProgress(stream, (error) => (error ? reject(error) : resolve()));
  });
}
