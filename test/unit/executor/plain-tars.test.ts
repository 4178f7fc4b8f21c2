import { execFileSync } from "node:child_process";
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { canTarPlainly, plainTarPath } from "../../../executor/engine/docker/plain-tars.js";
import { projectPath } from "../../../platform/paths.js";

/** Words of CRIU (criu/filesystems.c). */
const CREATE =
  "--create --gzip --no-unquote --no-wildcards --one-file-system --check-links --preserve-permissions --sparse --numeric-owner --directory";
const EXTRACT = "--extract --gzip --no-unquote --no-wildcards --directory";

describe("The contents of tmpfs mounts", () => {
  let folder: string;
  let archive: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "evenkeel-tars-"));
    await chmod(folder, 0o755);
    archive = join(folder, "archive");
    await mkdir(join(folder, "from"));
    await mkdir(join(folder, "to"));
    await writeFile(join(folder, "from", "a file"), "words");
    await chmod(join(folder, "from", "a file"), 0o640);
  });
  afterEach(() => rm(folder, { recursive: true }));

  const shell = (script: string, path: string) =>
    execFileSync("sh", ["-c", script], { cwd: folder, env: { ...process.env, PATH: path }, stdio: ["ignore", "ignore", "pipe"] });
  const isCompressed = async () => (await readFile(archive)).subarray(0, 2).equals(Buffer.from([0x1f, 0x8b]));

  async function crosses(sender: string, receiver: string): Promise<void> {
    shell(`tar ${CREATE} from . >archive`, sender);
    shell(`tar ${EXTRACT} to <archive`, receiver);
    expect(await readFile(join(folder, "to", "a file"), "utf8")).to.equal("words");
    expect((await stat(join(folder, "to", "a file"))).mode & 0o777).to.equal(0o640);
  }

  it("cross without compression where both ends have our tar", async () => {
    await crosses(plainTarPath(), plainTarPath());
    expect(await isCompressed()).to.equal(false);
  });

  it("are read too where the sender's CRIU has compressed them", async () => {
    await crosses(process.env["PATH"]!, plainTarPath());
    expect(await isCompressed()).to.equal(true);
  });

  it("are left to CRIU where not everyone may run it", async () => {
    const own = join(folder, "inner", "tar");
    await mkdir(join(folder, "inner"));
    await copyFile(projectPath("executor/shim/as-tar/tar"), own);
    await chmod(own, 0o755);
    expect(await canTarPlainly(own)).to.equal(true);
    await chmod(join(folder, "inner"), 0o700);
    expect(await canTarPlainly(own)).to.equal(false);
    await chmod(join(folder, "inner"), 0o755);
    await chmod(own, 0o700);
    expect(await canTarPlainly(own)).to.equal(false);
    expect(await canTarPlainly(join(folder, "nowhere", "tar"))).to.equal(false);
  });
});
