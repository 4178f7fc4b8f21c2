import { copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Lab } from "../../../lab/lab.js";
import { SUITE } from "../../../lab/root-recipe.js";
import { unpackPackages } from "../../../lab/unpack-packages.js";
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
  const folder = await unpackPackages(PACKAGE, SUITE, [PACKAGE]);
  await copyFile(join(folder, "usr/bin", PACKAGE), join(sharedDirectory, PACKAGE));
  const settings = `version: 0.1\nstorage: {filesystem: {rootdirectory: /var/lib/evenkeel/registry}}\nhttp: {addr: "${control.address}:${PORT}"}\n`;
  await writeFile(join(sharedDirectory, "registry.yml"), settings);
  const service = await control.spawn([`/shared/${PACKAGE}`, "serve", "/shared/registry.yml"], { name: "registry" });
  await waitFor("the registry to listen", async () => (await control.exec(["ss", "-ltnH", `sport = :${PORT}`])).stdout !== "");
  return { name: `${control.address}:${PORT}`, stop: () => service.kill("SIGTERM") };
}
