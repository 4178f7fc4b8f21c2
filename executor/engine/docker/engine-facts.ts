import { access, constants, statfs } from "node:fs/promises";
import type { EngineFacts } from "../../preflight/node-facts.js";
import { RUNTIME } from "./create-options.js";
import { type DockerInfo, readTraits } from "./describe.js";
import type { DockerHost } from "./docker-host.js";

/** Null when Docker does not answer. */
export async function readEngineFacts(host: DockerHost): Promise<EngineFacts | null> {
  try {
    const info = (await host.docker.info()) as DockerInfo;
    const { bavail, blocks, bsize } = await statfs(info.DockerRootDir);
    return {
      name: "docker",
      version: info.ServerVersion,
      storageDriver: info.Driver,
      isRootless: (info.SecurityOptions ?? []).some((option) => option.includes("name=rootless")),
      runtimeTrouble: await whyNoRuntime(info),
      traits: await readTraits(host),
      folder: info.DockerRootDir,
      freeBytes: bavail * bsize,
      totalBytes: blocks * bsize,
    };
  } catch {
    return null;
  }
}

async function whyNoRuntime({ Runtimes = {} }: DockerInfo): Promise<string | null> {
  const runtime = Runtimes[RUNTIME];
  if (runtime === undefined) return `Docker does not know the runtime ${RUNTIME}`;
  const { path } = runtime;
  if (path === undefined) return null;
  return access(path, constants.X_OK).then(
    () => null,
    () => `${path} is not there, or cannot be executed`,
  );
}
