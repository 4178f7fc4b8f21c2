import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type Docker from "dockerode";
import { execa } from "execa";

/** Imports an image of one static program from the node's own root file system. Returns its name. */
export async function importBusybox(docker: Docker, rootDirectory: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "busybox-"));
  try {
    const tar = join(folder, "busybox.tar");
    await execa("tar", ["-C", join(rootDirectory, "usr"), "-cf", tar, "bin/busybox"]);
    const stream = await docker.importImage(tar, { repo: "busybox", tag: "lab" });
    await new Promise<void>((resolve, reject) => docker.modem.followProgress(stream, (error) => (error ? reject(error) : resolve())));
    return "busybox:lab";
  } finally {
    await rm(folder, { recursive: true });
  }
}
