import { chmod, mkdir, mkdtemp, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { hostFileFindings, readHostFiles } from "../../../executor/engine/docker/host-files.js";

describe("Files of a host that a workload only reads", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "evenkeel-host-files-"));
    await mkdir(join(folder, "etc/deep"), { recursive: true });
    await writeFile(join(folder, "etc/deep/one"), "1");
    await symlink("deep/one", join(folder, "etc/link"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const look = () =>
    readHostFiles({
      Config: {},
      Mounts: [
        { Type: "bind", Source: join(folder, "etc"), Destination: "/a", RW: false },
        { Type: "bind", Source: "/srv/written", Destination: "/b", RW: true },
        { Type: "volume", Source: "/volumes/x", Destination: "/c", RW: false },
      ],
    } as unknown as Parameters<typeof readHostFiles>[0]);
  const codes = async (files: Awaited<ReturnType<typeof look>>) => (await hostFileFindings(files)).map(({ code }) => code);

  it("are nothing in the way where the same are", async () => {
    const files = await look();
    expect(Object.keys(files)).to.deep.equal([join(folder, "etc")]);
    expect(await codes(files)).to.deep.equal([]);
  });

  for (const [what, change] of Object.entries({
    "another content": () => writeFile(join(folder, "etc/deep/one"), "2"),
    "another mode": () => chmod(join(folder, "etc/deep/one"), 0o600),
    "one file more": () => writeFile(join(folder, "etc/two"), ""),
    "a link to another place": async () => {
      await rm(join(folder, "etc/link"));
      await symlink("deep", join(folder, "etc/link"));
    },
    "nothing there": () => rm(join(folder, "etc"), { recursive: true }),
  })) {
    it(`differ by ${what}`, async () => {
      const files = await look();
      await change();
      expect(await codes(files)).to.deep.equal(["bind-mount-differs"]);
    });
  }

  it("cannot be compared where there is too much of it", async () => {
    await truncate(join(folder, "etc/deep/one"), 65 << 20);
    expect(await codes(await look())).to.deep.equal(["bind-mount"]);
  });
});
