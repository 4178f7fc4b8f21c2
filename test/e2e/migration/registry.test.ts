import { expect } from "chai";
import { whyNoDebian } from "../../../lab/root-file-system.js";
import { expectKept } from "../support/expect-kept.js";
import { FIRST, type MovingFleet, SECOND, startMovingFleet } from "../support/moving-fleet.js";
import { type Registry, startRegistry } from "../support/registry.js";
import { TICKER } from "../support/ticking-workload.js";
import { settledOn } from "../support/traces.js";

const NAME = TICKER.name;

const obstacle = whyNoDebian();

describe(`An image that a registry has${obstacle === null ? "" : ` (skipped: ${obstacle})`}`, function () {
  this.timeout(600_000);
  let moving: MovingFleet;
  let registry: Registry;

  before(async function () {
    if (obstacle !== null) return this.skip();
    moving = await startMovingFleet("e2e-registry", [TICKER], {
      docker: { "insecure-registries": ["10.77.0.0/24"] },
      before: async (fleet) => {
        registry = await startRegistry(fleet.lab);
      },
    });
    const name = `${registry.name}/shop/python:1`;
    const push = `docker tag ${TICKER.image} ${name} && docker push -q ${name}`;
    await moving.fleet.lab.node(FIRST).exec(["sh", "-c", push]);
  });

  after(async () => {
    expect((await moving?.close()) ?? []).to.deep.equal([]);
  });

  const image = (node: string) => moving.fleet.lab.node(node).docker.getImage(TICKER.image);

  async function isWell(where: string): Promise<void> {
    await settledOn(moving.fleet, NAME, where);
    expectKept(await moving.answersOn(NAME));
  }

  it("is fetched from there by digest, not sent from the source, and bears the name that it had", async () => {
    const { Id } = await image(FIRST).inspect();
    const record = await moving.moveWell(NAME, FIRST, SECOND);
    expect(record.bytes).to.not.have.property("image");
    expect((await image(SECOND).inspect()).Id).to.equal(Id);
    await isWell(SECOND);
  });

  it("is sent from the source when the registry is away", async () => {
    await image(FIRST).remove({ force: true });
    const images = await moving.fleet.lab.node(FIRST).docker.listImages();
    await Promise.all(images.map(({ Id }) => moving.fleet.lab.node(FIRST).docker.getImage(Id).remove({ force: true })));
    await registry.stop();
    const record = await moving.moveWell(NAME, SECOND, FIRST);
    expect(record.bytes["image"]).to.be.greaterThan(1_000_000);
    await isWell(FIRST);
  });
});
