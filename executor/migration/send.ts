import { folderBytes } from "../channel/folder-bytes.js";
import { packImages } from "../channel/image-stream.js";
import type { WorkloadDescription } from "../engine/engine.js";
import type { Held, Surroundings } from "./migration.js";
import { outgoing } from "./outlet.js";

/** `imageBytes` is what the image takes here; null = not known. */
export async function sendImage(
  surroundings: Surroundings,
  held: Held,
  description: WorkloadDescription,
  imageBytes: number | null,
): Promise<void> {
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
