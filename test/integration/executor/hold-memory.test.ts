import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readlinkSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { makeFifos } from "../../../executor/channel/fifo.js";
import { projectPath } from "../../../platform/paths.js";
import { waitFor } from "../../support/wait-for.js";

/** The program alone, with files in the place of userfaultfds. That a workload's threads wait for it is shown by a move: test/e2e/migration/failures.test.ts. */
describe("The process that holds what CRIU's daemon has of others", () => {
  let folder: string;
  let daemon: ChildProcess;
  let hold: ChildProcess;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "evenkeel-hold-"));
    await makeFifos([join(folder, "hold")]);
    daemon = spawn("bash", ["-c", `exec 11>"$0/one" 12>"$0/two"; echo; exec sleep 1000`, folder], { stdio: ["ignore", "pipe", "ignore"] });
    await once(daemon.stdout!, "data");
    hold = spawn(projectPath("executor/shim/hold-memory"), [String(daemon.pid), join(folder, "hold")], {
      stdio: ["pipe", "ignore", "ignore"],
    });
  });

  afterEach(async () => {
    daemon.kill("SIGKILL");
    hold.kill("SIGKILL");
    await rm(folder, { recursive: true, force: true });
  });

  const held = () => {
    const links = readdirSync(`/proc/${hold.pid}/fd`).map((name) => {
      try {
        return readlinkSync(`/proc/${hold.pid}/fd/${name}`);
      } catch {
        return "";
      }
    });
    return links
      .filter((link) => link.startsWith(`${folder}/`) && !link.endsWith("/hold"))
      .map((link) => link.slice(folder.length + 1))
      .sort();
  };
  const holds = (...names: string[]) => waitFor(`${names.join()} to be held`, () => held().join() === names.join());

  it("keeps each until it is told that the daemon closes it", async () => {
    hold.stdin!.write("go\nhold 11\nhold 12\n");
    await holds("one", "two");
    hold.stdin!.write("drop 11\n");
    await holds("two");
    hold.stdin!.write("drop 11\nhold 99\nhold 12\nhold 11\n");
    await holds("one", "two");
  });

  it("goes on to hold when whoever told it has gone, and the daemon too", async () => {
    hold.stdin!.end("go\nhold 11\n");
    await holds("one");
    daemon.kill("SIGKILL");
    await once(daemon, "exit");
    expect(held()).to.deep.equal(["one"]);
    expect(hold.exitCode).to.equal(null);
  });

  it("ends when it was never told to begin", async () => {
    hold.stdin!.end();
    expect((await once(hold, "exit"))[0]).to.equal(0);
  });
});
