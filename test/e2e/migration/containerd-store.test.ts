import { expect } from "chai";
import { expectKept } from "../support/expect-kept.js";
import { FIRST, type MovingFleet, SECOND, startMovingFleet } from "../support/moving-fleet.js";
import { recordTicks, TICKER, type Ticks, woundBack } from "../support/ticking-workload.js";
import { settledOn } from "../support/traces.js";

const NAME = TICKER.name;

/** What Docker 29 does by itself. */
const DOCKER = { "storage-driver": "overlayfs", features: { "containerd-snapshotter": true } };

describe("A move between nodes whose Docker keeps its images in containerd", function () {
  this.timeout(600_000);
  let moving: MovingFleet;
  let ticks: Ticks;

  before(async () => {
    moving = await startMovingFleet("e2e-containerd", [TICKER], {
      docker: DOCKER,
      before: async (fleet) => {
        ticks = await recordTicks(fleet.lab);
      },
    });
    await ticks.goOn();
  });

  after(async () => {
    expect(await moving?.close()).to.deep.equal([]);
  });

  const docker = (node: string) => moving.fleet.lab.node(node).docker;
  const inside = async (node: string, script: string) =>
    (await moving.fleet.lab.node(node).exec(["docker", "exec", NAME, "python3", "-S", "-c", script])).stdout;

  it("is one between stores without a folder of changes in Docker's own words", async () => {
    const { GraphDriver } = (await docker(FIRST).getContainer(NAME).inspect()) as { GraphDriver?: { Data?: object | null } };
    expect(GraphDriver?.Data ?? {}).to.not.have.property("UpperDir");
    expect(await docker(FIRST).info()).to.include({ Driver: "overlayfs" });
  });

  it("brings the image, the changes of the root file system, the memory and the connection across, there and back", async () => {
    await inside(FIRST, "import os; open('/etc/made-here', 'w').write('new'); os.unlink('/srv/pair.py')");
    for (const [from, to] of [
      [FIRST, SECOND],
      [SECOND, FIRST],
    ] as const) {
      const record = await moving.moveWell(NAME, from, to);
      expect("image" in record.bytes).to.equal(to === SECOND);
      await settledOn(moving.fleet, NAME, to);
      expectKept(await moving.answersOn(NAME));
      await ticks.goOn();
      expect(woundBack(await ticks.read())).to.deep.equal([]);
      expect(await inside(to, "import os; print(open('/etc/made-here').read(), os.path.exists('/srv/pair.py'))")).to.equal("new False");
    }
    const [first, second] = await Promise.all([FIRST, SECOND].map((node) => docker(node).getImage(TICKER.image).inspect()));
    expect(second!.Id).to.equal(first!.Id);
  });

  it("leaves a container that can be stopped and started", async () => {
    await docker(FIRST).getContainer(NAME).stop({ t: 1 });
    await docker(FIRST).getContainer(NAME).start();
    expect((await docker(FIRST).getContainer(NAME).inspect()).State.Running).to.equal(true);
  });
});
