import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { buildRoot } from "../../../lab/root-file-system.js";
import { LAB_PACKAGES } from "../../../lab/root-recipe.js";
import { projectPath } from "../../../platform/paths.js";
import { waitFor } from "../../support/wait-for.js";

const SCRIPT = `
  const { buildRoot } = await import(${JSON.stringify(projectPath("dist/lab/root-file-system.js"))});
  await buildRoot("test", ["socat"]);
`;

function commands(): string[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8");
      } catch {
        return "";
      }
    });
}

describe("the root file system of the lab", function () {
  this.timeout(600_000);
  let cache: string;
  let builder: ChildProcess;

  const startBuilder = () =>
    spawn(process.execPath, ["--input-type=module", "-e", SCRIPT], { stdio: "inherit", env: { ...process.env, EVENKEEL_CACHE: cache } });
  const partial = () => readdirSync(cache).find((name) => name.endsWith(".partial"));
  const isBuilding = () => partial() !== undefined && existsSync(join(cache, partial() ?? "", "var/cache/apt"));
  const killBuilder = async () => {
    builder.kill("SIGKILL");
    if (builder.exitCode === null && builder.signalCode === null) await once(builder, "exit");
    await waitFor("the build's processes to end", () => !commands().some((command) => command.includes(cache)), { deadlineSeconds: 30 });
  };

  before(async () => {
    cache = await mkdtemp(join(tmpdir(), "root-test-"));
  });

  after(async () => {
    await killBuilder();
    await rm(cache, { recursive: true, force: true });
  });

  it("is built once and then found at once, with the versions of all its packages", async () => {
    const first = await buildRoot("lab", LAB_PACKAGES);
    const second = await buildRoot("lab", LAB_PACKAGES, (step) => {
      throw new Error(`the second build began with "${step}"`);
    });
    expect(second).to.equal(first);
    const manifest = JSON.parse(readFileSync(join(first, "manifest.json"), "utf8"));
    for (const name of LAB_PACKAGES) expect(manifest).to.have.property(name).that.matches(/^\d/);
  });

  it("is not there, and nothing of its build runs on or stays mounted, when the build is killed", async () => {
    builder = startBuilder();
    await waitFor("the build to begin", isBuilding, { deadlineSeconds: 120 });
    await killBuilder();
    expect(
      readdirSync(cache)
        .filter((name) => name.startsWith("test-"))
        .every((name) => name.includes(".partial")),
    ).to.equal(true);
    expect(readFileSync("/proc/self/mountinfo", "utf8")).to.not.include(cache);
  });

  it("is built from nothing after such a kill", async () => {
    const mark = join(cache, partial() ?? "", "mark");
    await writeFile(mark, "");
    builder = startBuilder();
    await waitFor("the old part to be removed and the build to begin", () => !existsSync(mark) && isBuilding(), { deadlineSeconds: 120 });
  });
});
