import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { readForbiddenLines, registerActionScript } from "../../../executor/criu-setup.js";
import { EvenkeelError } from "../../../platform/errors.js";

describe("CRIU's configuration for runc", () => {
  let folder: string;
  let path: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "evenkeel-criu-"));
    path = join(folder, "criu", "runc.conf");
  });
  afterEach(() => rm(folder, { recursive: true }));

  const written = () => readFile(path, "utf8");
  const given = async (text: string) => {
    await registerActionScript(path);
    await writeFile(path, text);
  };

  it("is made with our action script where there is none", async () => {
    await registerActionScript(path);
    expect(await written()).to.match(/^action-script \/.*\/executor\/shim\/criu-action$/m);
  });

  it("names a script that is there and may be run", async () => {
    await registerActionScript(path);
    const script = /^action-script (.*)$/m.exec(await written())?.[1] ?? "";
    expect(await readFile(script, "utf8")).to.match(/^#!\/bin\/sh/);
  });

  it("does not change when it is set up already", async () => {
    await registerActionScript(path);
    const once = await written();
    await registerActionScript(path);
    expect(await written()).to.equal(once);
  });

  it("keeps an administrator's lines, with or without an end of line", async () => {
    for (const text of ["# ours\ntcp-close", "# ours\ntcp-close\n"]) {
      await given(text);
      await registerActionScript(path);
      expect(await written()).to.match(/^# ours\ntcp-close\naction-script /);
    }
  });

  it("loses the lock of the network that executors wrote into it before, and only that", async () => {
    await given("");
    await registerActionScript(path);
    const now = await written();
    await writeFile(path, `tcp-close\n${now.replace("skip-in-flight", "network-lock nftables\nskip-in-flight")}`);
    await registerActionScript(path);
    expect(await written()).to.equal(`tcp-close\n${now}`);
    await writeFile(path, `  network-lock \tnftables \n${now}`);
    await registerActionScript(path);
    expect(await written()).to.equal(now);
  });

  it("leaves a value that an administrator has chosen", async () => {
    await given("ghost-limit 1G\n");
    await registerActionScript(path);
    expect((await written()).match(/ghost-limit.*/g)).to.deep.equal(["ghost-limit 1G"]);
  });

  for (const line of [
    "lazy-pages",
    "leave-running",
    "leave-stopped",
    "auto-dedup",
    "  leave-running",
    "network-lock iptables",
    "action-script /opt/theirs",
  ]) {
    it(`is refused, and left as it is, when it holds "${line}"`, async () => {
      await given(`# theirs\n${line}\n`);
      const error = await registerActionScript(path).catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(EvenkeelError);
      expect((error as EvenkeelError).code).to.equal("CONFIG_INVALID");
      expect((error as EvenkeelError).detail)
        .to.include(line.trim())
        .and.include(path);
      expect(await written()).to.equal(`# theirs\n${line}\n`);
    });
  }

  it("is seen by a look at the node to hold what the executor would refuse, and nothing else", async () => {
    await registerActionScript(path);
    const look = () => readForbiddenLines(join(folder, "criu"));
    expect(await look()).to.deep.equal([]);
    await writeFile(path, "tcp-close\naction-script /opt/theirs\nnetwork-lock\tnftables\n");
    // This one is CRIU's own file, where neither a script of others nor a lock wins over ours.
    const own = join(folder, "criu", "default.conf");
    await writeFile(own, "action-script /opt/theirs\nnetwork-lock nftables\nauto-dedup\n");
    expect(await look()).to.deep.equal([`${own}: auto-dedup`, `${path}: action-script /opt/theirs`, `${path}: network-lock nftables`]);
  });

  it("may hold such a word in a comment", async () => {
    await given("# not leave-running, because it breaks moves\n");
    await registerActionScript(path);
    expect(await written()).to.include("action-script");
  });
});
