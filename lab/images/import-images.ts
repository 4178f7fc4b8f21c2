import { createReadStream } from "node:fs";
import type Docker from "dockerode";
import type { BuiltImage } from "./build-images.js";

/** Imports the images that the engine does not have yet, each only once it is whole. Throws with Docker's own words. */
export async function importImages(docker: Docker, images: readonly BuiltImage[]): Promise<void> {
  for (const image of images) {
    const label = `io.evenkeel.lab.tar=${image.tar}`;
    const present = await docker.listImages({ filters: { reference: [image.reference], label: [label] } });
    if (present.length > 0) continue;
    const [repo, tag] = image.reference.split(":");
    const stream = await docker.importImage(createReadStream(image.tar), { repo, tag, changes: [...image.changes, `LABEL ${label}`] });
    await new Promise<void>((resolve, reject) => {
      docker.modem.followProgress(stream, (error) => (error ? reject(error) : resolve()));
    });
  }
}
