import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Fleet } from "../../../lab/fleet/fleet.js";

/** Changes some of the scheduler's settings; it takes them within seconds, without a restart. */
export async function changeSettings(
  { lab }: Fleet,
  change: { readonly scheduler?: Record<string, unknown>; readonly policies?: Record<string, unknown> },
): Promise<void> {
  const path = join(lab.sharedDirectory, "etc", lab.control.name, "config.json");
  const { scheduler, policies, ...others } = JSON.parse(await readFile(path, "utf8")) as { scheduler: object; policies: object };
  const changed = { ...others, scheduler: { ...scheduler, ...change.scheduler }, policies: { ...policies, ...change.policies } };
  await writeFile(`${path}.new`, JSON.stringify(changed, null, 2));
  await rename(`${path}.new`, path);
}
