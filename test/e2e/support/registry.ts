import { existsSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { cacheFolder } from "../../../lab/folders.js";
import type { Lab } from "../../../lab/lab.js";
import { waitFor } from "../../support/wait-for.js";

const PORT = 5000;
const PACKAGE = "docker-registry";

export interface Registry {
  /** `host:port`, before the name of an image. */
  readonly name: string;
  stop(): Promise<void>;
}

/** A registry of the lab's own on its control machine, from Debian's package. Nodes need it among their `insecure-registries`. */
export async function startRegistry(lab: Lab): Promise<Registry> {
  const { control, sharedDirectory } = lab;
  await copyFile(await registryProgram(), join(sharedDirectory, PACKAGE));
  const settings = `version: 0.1\nstorage: {filesystem: {rootdirectory: /var/lib/evenkeel/registry}}\nhttp: {addr: "${control.address}:${PORT}"}\n`;
  await writeFile(join(sharedDirectory, "registry.yml"), settings);
  const service = await control.spawn([`/shared/${PACKAGE}`, "serve", "/shared/registry.yml"], { name: "registry" });
  await waitFor("the registry to listen", async () => (await control.exec(["ss", "-ltnH", `sport = :${PORT}`])).stdout !== "");
  return { name: `${control.address}:${PORT}`, stop: () => service.kill("SIGTERM") };
}

/** Taken out of the package: nothing is installed on the host. */
async function registryProgram(): Promise<string> {
  const path = join(cacheFolder(), PACKAGE);
  if (existsSync(path)) return path;
  const folder = await mkdtemp(join(tmpdir(), "registry-"));
  try {
    await execa("apt-get", ["download", "-q", PACKAGE], { cwd: folder });
    const [archive] = await readdir(folder);
    await execa("dpkg-deb", ["-x", archive!, "."], { cwd: folder });
    await mkdir(cacheFolder(), { recursive: true });
    await copyFile(join(folder, "usr/bin", PACKAGE), `${path}.partial`);
    await rename(`${path}.partial`, path);
    return path;
  } finally {
    await rm(folder, { recursive: true });
  }
}
