import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "chai";
import { projectPath } from "../../../platform/paths.js";
import { waitFor } from "../../support/wait-for.js";

/** Longer than a signal needs. */
const LIVES_MILLISECONDS = 200;

/** The script alone, with a program that ends as told in CRIU's place: a workload that runs on with zeros cannot be told to do so without crashing by itself. */
describe("The process that feeds a restored workload's memory", () => {
  let folder: string;
  let workload: ChildProcess;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "evenkeel-lazy-"));
    workload = spawn("sleep", ["1000"], { stdio: "ignore" });
  });

  afterEach(async () => {
    workload.kill("SIGKILL");
    await rm(folder, { recursive: true, force: true });
  });

  /** Runs it for the restore of that container, and CRIU ends with that code. */
  async function feed(container: string, code: number): Promise<void> {
    const restore = join(folder, container);
    await mkdir(restore, { recursive: true });
    await writeFile(join(restore, "init-pid"), String(workload.pid));
    await writeFile(join(folder, "criu"), `#!/bin/sh\nexit ${code}\n`, { mode: 0o755 });
    const env = { ...process.env, PATH: `${folder}:${process.env["PATH"]}` };
    const [ended] = (await once(
      spawn(projectPath("executor/shim/lazy-pages"), [restore, "lazy-pages"], { env, stdio: "ignore" }),
      "exit",
    )) as [number];
    expect(ended).to.equal(code);
  }

  /** A part of what the kernel says of the workload's cgroups, as the name of a container would be one. */
  const ownContainer = async () => basename((await readFile(`/proc/${workload.pid}/cgroup`, "utf8")).split("\n")[0]!);

  async function livesOn(): Promise<void> {
    await delay(LIVES_MILLISECONDS);
    expect(workload.signalCode).to.equal(null);
  }

  it("leaves it alone when all of its memory is in", async () => {
    await feed(await ownContainer(), 0);
    await livesOn();
  });

  it("kills it when it breaks off", async () => {
    await feed(await ownContainer(), 1);
    await waitFor("its end", () => workload.signalCode === "SIGKILL");
  });

  it("kills nobody else who has that pid by then", async () => {
    await feed("f".repeat(64), 1);
    await livesOn();
  });
});
