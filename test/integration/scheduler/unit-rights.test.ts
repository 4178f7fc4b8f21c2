import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { execa } from "execa";
import { projectPath } from "../../../platform/paths.js";
import type { StatusAnswer } from "../../../scheduler/api-shapes.js";
import { API_BASE } from "../../../scheduler/protocol.js";
import { startRedis, type ThrowAwayRedis } from "../../support/redis.js";
import { type SchedulerProcess, startSchedulerProcess } from "../../support/scheduler-process.js";
import { installationWithoutDocker, SCHEDULER_UNIT } from "../../support/scheduler-unit.js";
import { waitFor } from "../../support/wait-for.js";
import { findTool } from "../grafana/lab-tools.js";

/** Numbers that no user and no group of the machine has: systemd takes a dynamic user's from 61184 to 65519. */
const USER = 61_998;
const GROUP = 61_997;
const STRANGER = 61_996;

const as = (user: number, groups: string) => ["setpriv", `--reuid=${user}`, `--regid=${user}`, groups];
const FEW_RIGHTS = [...as(USER, `--groups=${GROUP}`), "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"];

/** systemd does not run here: what stands in for it gives the process the rights that the unit says, on a folder made as docs/installation.md says. */
describe("a scheduler with the rights of its systemd unit", () => {
  let server: ThrowAwayRedis;
  let top: string;
  let file: string;
  let scheduler: SchedulerProcess;
  let url: string;

  const sh = (command: string) => execa("sh", ["-c", command]);
  const text = (mode: string) =>
    JSON.stringify({ redis: { url: server.url }, scheduler: { host: "127.0.0.1", port: 0, operatorToken: "a-token-of-16-ch", mode } });
  const status = async () => (await (await fetch(`${url}${API_BASE}/status`)).json()) as StatusAnswer;
  const inForce = (mode: string) => waitFor(`mode ${mode}`, async () => (await status()).mode === mode);

  before(async () => {
    server = await startRedis({ tcp: true });
    top = await mkdtemp(join(tmpdir(), "evenkeel-unit-"));
    await chmod(top, 0o755);
    const folder = join(top, "scheduler");
    file = join(folder, "config.json");
    const make = /^install -d .*$/m.exec(installationWithoutDocker())![0];
    await sh(make.replaceAll("/etc/evenkeel", top).replace("-g evenkeel", `-g ${GROUP}`));
    await sh(`( umask 027; cat >${file} ) <<'END'\n${text("observe")}\nEND\n`);
    // The project may be in a folder that root alone may enter.
    const project = join(top, "project");
    const node = join(top, "node");
    await mkdir(project);
    await writeFile(node, "");
    const mounts = `mount --bind ${projectPath("")} ${project} && mount --bind ${process.execPath} ${node} && exec "$@"`;
    const program = [...FEW_RIGHTS, node, join(project, "dist/scheduler/main.js")];
    scheduler = startSchedulerProcess(file, ["unshare", "--mount", "sh", "-c", mounts, "sh", ...program]);
    url = await scheduler.serving().catch((error: unknown) => {
      throw new Error(scheduler.log(), { cause: error });
    });
  });
  after(async () => {
    scheduler?.child.kill("SIGKILL");
    await scheduler?.exit;
    await server.close();
    await rm(top, { recursive: true, force: true });
  });

  it("reads its settings, which are root's, and which no stranger can read", async () => {
    expect((await status()).mode).to.equal("observe");
    const { uid, gid, mode } = await stat(file);
    expect([uid, gid, (mode & 0o777).toString(8)]).to.deep.equal([0, GROUP, "640"]);
    const stranger = await execa("setpriv", [...as(STRANGER, "--clear-groups").slice(1), "cat", file], { reject: false });
    expect(stranger.exitCode).not.to.equal(0);
    expect(stranger.stderr).to.contain("Permission denied");
  });

  it("takes over what root writes into the file", async () => {
    await writeFile(file, text("approve"));
    await inForce("approve");
  });

  it("takes over what an editor of root's puts in the file's place", async () => {
    await sh(`umask 022; cat >${file}.new <<'END' && mv ${file}.new ${file}\n${text("auto")}\nEND\n`);
    await inForce("auto");
    expect((await stat(file)).gid, "the folder's group is that of what is made in it").to.equal(GROUP);
  });

  it("keeps what is in force, and says why, when the new file is for root alone", async () => {
    await sh(`umask 077; cat >${file}.new <<'END' && mv ${file}.new ${file}\n${text("observe")}\nEND\n`);
    const refused = await waitFor("the refusal", async () => (await status()).policies.refused);
    expect(refused).to.contain(file).and.to.contain("EACCES");
    expect((await status()).mode).to.equal("auto");
    await sh(`chmod g+r ${file}`);
    await inForce("observe");
  });

  const analyze = findTool("usr/bin/systemd-analyze");
  it(`is what systemd makes of the unit's text: it finds nothing wrong in it${analyze === null ? " (skipped: no systemd-analyze here)" : ""}`, async function () {
    if (analyze === null) this.skip();
    const [command, ...args] = analyze;
    // It looks for the program too, which need not be there.
    const { stderr } = await execa(command!, [...args, "verify", "--man=no", SCHEDULER_UNIT], { reject: false });
    expect(stderr.split("\n").filter((line) => /evenkeel-scheduler\.service:\d/.test(line))).to.deep.equal([]);
  });
});
