import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "chai";
import { projectPath } from "../../../platform/paths.js";
import { waitFor } from "../../support/wait-for.js";

/** Longer than a signal needs. */
const LIVES_MILLISECONDS = 200;

/** The script alone, with a program that ends as told: a workload that runs on with zeros cannot be told to do so without crashing by itself. */
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

  /** Runs a program by it for the restore of that container, as executors do. Resolves with the code it ended with; null = by its own signal. */
  async function run(container: string, program: string): Promise<number | null> {
    const restore = join(folder, container);
    await mkdir(restore, { recursive: true });
    await writeFile(join(restore, "init-pid"), String(workload.pid));
    const words = [restore, "sh", "-c", program];
    const child = spawn(projectPath("executor/shim/feed-memory"), words, { cwd: folder, stdio: "ignore", detached: true });
    return ((await once(child, "exit")) as [number | null])[0];
  }

  async function feedAll(container: string): Promise<void> {
    expect(await run(container, `: >${container}/feeding; rm ${container}/feeding; kill -KILL $$`)).to.equal(0);
  }

  async function feedSome(container: string): Promise<void> {
    expect(await run(container, `: >${container}/feeding; exit 0`)).to.equal(null);
  }

  /** A part of what the kernel says of the workload's cgroups, as the name of a container would be one. */
  const ownContainer = async () => basename((await readFile(`/proc/${workload.pid}/cgroup`, "utf8")).split("\n")[0]!);

  async function livesOn(): Promise<void> {
    await delay(LIVES_MILLISECONDS);
    expect(workload.signalCode).to.equal(null);
  }

  it("leaves it alone when all of its memory is in, however it ends", async () => {
    await feedAll(await ownContainer());
    await livesOn();
  });

  it("kills it when it breaks off", async () => {
    await feedSome(await ownContainer());
    await waitFor("its end", () => workload.signalCode === "SIGKILL");
  });

  it("ends with all that it has begun when it is killed, which would keep the workload waiting", async () => {
    const container = await ownContainer();
    await run(container, `: >${container}/feeding; sleep 1000 & echo $! >begun; kill -KILL $$`);
    await waitFor("its end", () => workload.signalCode === "SIGKILL");
    const begun = (await readFile(join(folder, "begun"), "utf8")).trim();
    await waitFor(
      "the end of what it began",
      () => !existsSync(`/proc/${begun}`) || readFileSync(`/proc/${begun}/stat`, "utf8").includes(") Z "),
    );
  });

  it("kills nobody else who has that pid by then", async () => {
    await feedSome("f".repeat(64));
    await livesOn();
  });
});
