import { expect } from "chai";
import { boundBy, type Listed, type Mount, namedVolumes } from "../../../collector/bound-by.js";

const volume = (Name: string, more: Partial<Mount> = {}): Mount => ({
  Type: "volume",
  Name,
  Source: "",
  Driver: "local",
  RW: true,
  ...more,
});
const folder = (Source: string, RW = true): Mount => ({ Type: "bind", Source, RW });
const listed = (name: string, ...Mounts: Mount[]): Listed => ({ Id: name, Names: [`/${name}`], Mounts });
const bonds = (mounts: Mount[], others: Listed[] = [], bindMounts?: string, mountPoints: string[] = []) =>
  boundBy(
    "web",
    mounts,
    bindMounts === undefined ? {} : { "io.evenkeel.bind-mounts": bindMounts },
    [listed("web", ...mounts), ...others],
    new Set(mountPoints),
  );
const codes = (...args: Parameters<typeof bonds>) => bonds(...args).map(({ code }) => code);

describe("a container's volumes", () => {
  it("are told by name, once and in order, but for those that nobody has named", () => {
    const mounts = [volume("web-data"), volume("0af3".repeat(16)), volume("cache"), volume("web-data"), folder("/srv/data")];
    expect(namedVolumes(mounts)).to.deep.equal(["cache", "web-data"]);
  });
});

describe("what a container mounts", () => {
  it("does not bind it to its node when that is its own volumes, memory, and what it only reads of its host", () => {
    const own = [volume("data"), volume("a".repeat(64)), { ...folder(""), Type: "tmpfs" }, folder("/etc/app", false)];
    expect(bonds(own, [listed("db", volume("db-data"), folder("/srv/db"))])).to.deep.equal([]);
    expect(bonds([])).to.deep.equal([]);
  });

  it("binds it when it may write to its host, unless its label lets that move", () => {
    expect(bonds([folder("/srv/data")])).to.deep.equal([
      { code: "bind-mount", because: "It mounts /srv/data of this host and may write to it" },
    ]);
    expect(codes([folder("/srv/data")], [], "/srv/other, /srv/data/")).to.deep.equal([]);
    expect(codes([folder("/srv/data"), folder("/srv/more")], [], "/srv/data")).to.deep.equal(["bind-mount"]);
  });

  it("binds it when the label names what may not be taken away from a host", () => {
    for (const path of ["/srv", "/etc/app", "/var/lib/docker/volumes", "/run/app"])
      expect(codes([folder(path)], [], path), path).to.deep.equal(["bind-mount-unfit"]);
    expect(codes([folder("/etcetera/app")], [], "/etcetera/app")).to.deep.equal([]);
  });

  it("binds it when another has the volume too, whether that runs or not, and when its driver is no local one", () => {
    expect(bonds([volume("data")], [listed("reader", volume("data", { RW: false })), listed("other", volume("else"))])).to.deep.equal([
      { code: "volume-shared", because: "Volume data is also used by reader" },
    ]);
    expect(bonds([volume("kept", { Driver: "elsewhere" })])).to.deep.equal([
      { code: "volume-driver", because: "Volume kept has driver elsewhere" },
    ]);
  });

  it("binds it when a volume is a mount of what is kept elsewhere", () => {
    const data = volume("data", { Source: "/docker/volumes/data/_data" });
    expect(bonds([data], [], undefined, ["/", "/docker/volumes/data/_data"])).to.deep.equal([
      { code: "volume-elsewhere", because: "Volume data is a mount of what is kept elsewhere" },
    ]);
    expect(codes([data], [], undefined, ["/", "/docker", "/docker/volumes/other/_data"])).to.deep.equal([]);
  });

  it("binds it when another has the folder that would move, one above it or one in it", () => {
    const shared = (path: string, RW = true) => codes([folder("/srv/a")], [listed("other", folder(path, RW))], "/srv/a");
    for (const path of ["/srv/a", "/srv", "/srv/a/b"]) expect(shared(path, false), path).to.deep.equal(["bind-mount-shared"]);
    expect(shared("/srv/ab")).to.deep.equal([]);
    expect(codes([folder("/srv/a", false)], [listed("other", folder("/srv/a"))]), "what it only reads stays").to.deep.equal([]);
  });

  it("is told once each, and no more than three of it", () => {
    expect(codes([folder("/srv/a"), folder("/srv/a")])).to.deep.equal(["bind-mount"]);
    expect(bonds([1, 2, 3, 4].map((each) => folder(`/srv/${each}`))).map(({ because }) => /\d/.exec(because)?.[0])).to.deep.equal([
      "1",
      "2",
      "3",
    ]);
  });
});
