import { folderBytes } from "../channel/folder-bytes.js";
import { packImages } from "../channel/image-stream.js";
import type { WorkloadDescription } from "../engine/engine.js";
import type { Held, Surroundings } from "./migration.js";
import { outgoing } from "./outlet.js";

/** The image: from a registry, if the destination reaches one that has this very one; else from here. `imageBytes` is what it takes here; null = not known. */
export async function bringImage(
  surroundings: Surroundings,
  held: Held,
  description: WorkloadDescription,
  imageBytes: number | null,
): Promise<void> {
  if (description.imageDigests.length > 0) {
    held.live.expect({ stage: "prepare", kind: "image", note: `pulling image ${description.imageName}` });
    if ((await held.peer.pullImage(held.record.id)).isHere) return;
  }
  held.live.expect({ stage: "prepare", kind: "image", totalBytes: imageBytes, note: `image ${description.imageName}` });
  const stream = await surroundings.engine.saveImage(description.imageId, description.imageName);
  await held.peer.sendImage(held.record.id, outgoing(surroundings, held, stream, { kind: "image", isFrozen: false }));
}

/** The frozen workload's memory images. */
export async function sendMemory(surroundings: Surroundings, held: Held, imagesPath: string): Promise<void> {
  held.live.expect({ stage: "transfer", kind: "memory", note: "memory" });
  const images = outgoing(surroundings, held, packImages(imagesPath), { kind: "memory", isFrozen: true });
  await Promise.all([held.peer.sendMemory(held.record.id, images), folderBytes(imagesPath).then((total) => held.live.expectTotal(total))]);
}
