import { expect } from "chai";
import { otherPoints, overlayOptions } from "../../../executor/engine/docker/overlay.js";

const POINT = "/var/lib/docker/overlay2/a/merged";
const LAYERS = "lowerdir=l/B:l/C,upperdir=a/diff,workdir=a/work";

describe("The options of a mounted overlay", () => {
  it("are those that say what is laid over what, and none that the kernel adds by itself", () => {
    const line = `61 29 0:50 / ${POINT} rw,relatime shared:7 - overlay overlay rw,${LAYERS},xino=off,uuid=on,nouserxattr`;
    expect(overlayOptions(`1 0 8:1 / / rw - ext4 /dev/sda1 rw\n${line}\n`, POINT)).to.equal(LAYERS);
  });

  it("are those of the newest where one lies over another", () => {
    const line = (upper: string) => `61 29 0:50 / ${POINT} rw - overlay overlay rw,lowerdir=l/B,upperdir=${upper},workdir=w`;
    expect(overlayOptions([line("old"), line("new")].join("\n"), POINT)).to.contain("upperdir=new");
  });

  it("go with the other places where it is mounted as a whole, and with no other mounts", () => {
    const lines = [
      "29 1 0:50 / / rw - overlay overlay rw",
      `61 29 0:51 / ${POINT} rw - overlay overlay rw,${LAYERS}`,
      "62 29 0:51 / /run/docker/runtime-runc/moby/a/criu-root rw - overlay overlay rw",
      "63 29 0:52 / /run rw - tmpfs tmpfs rw",
    ];
    expect(otherPoints(lines.join("\n"), POINT)).to.deep.equal(["/run/docker/runtime-runc/moby/a/criu-root"]);
  });

  it("are not to be had where something else is mounted, or nothing", () => {
    expect(overlayOptions(`61 29 0:50 / ${POINT} rw - ext4 /dev/sdb rw`, POINT)).to.equal(null);
    expect(overlayOptions("", POINT)).to.equal(null);
  });
});
