import { expect } from "chai";
import type { MigrationRecord } from "../../../platform/migration-record.js";
import { type PlacedWorkload, placeWorkloads } from "../../../scheduler/fleet/place-workloads.js";
import type { FleetReading } from "../../../scheduler/fleet/read-fleet.js";
import type { NodeReading } from "../../../scheduler/fleet/read-nodes.js";
import { makeSample } from "../../support/reported-fleet.js";

const labels = { "io.evenkeel.workload": "w" };

const node = (id: string, names: string[], at = 100): NodeReading => ({
  id,
  lastSeenAt: at,
  sample: makeSample({ id, workloads: names.map((name) => ({ name, labels })) }, at),
  trouble: null,
  identity: null,
  history: [],
  flag: null,
  cordon: null,
});
const silent = (id: string): NodeReading => ({ ...node(id, []), sample: null, trouble: "no sample" });
const migration = (outcome: MigrationRecord["outcome"]) => ({ id: "m", workload: "w", from: "n1", to: "n2", outcome }) as MigrationRecord;

const none: ReadonlyMap<string, PlacedWorkload> = new Map();
const placeWhole = (nodes: NodeReading[], rest: Partial<FleetReading> = {}, remembered = none) =>
  placeWorkloads(
    {
      at: 100,
      nodes,
      owners: {},
      lastMoved: {},
      executors: new Map(),
      power: new Map(),
      homecomings: new Map(),
      flagDates: new Map(),
      pause: null,
      patterns: new Map(),
      openMigrations: [],
      closedMigrations: [],
      ...rest,
    },
    remembered,
  );
const place = (...args: Parameters<typeof placeWhole>) => placeWhole(...args).map(({ id, node, conflict }) => ({ id, node, conflict }));
/** The same over several readings, each with what the one before has found. */
const follow = (rest: Partial<FleetReading>, ...readings: NodeReading[][]) => {
  let placed: PlacedWorkload[] = [];
  for (const nodes of readings) placed = placeWhole(nodes, rest, new Map(placed.map((each) => [each.id, each])));
  return placed.map(({ node, conflict, isCertain }) => ({ node, conflict, isCertain }));
};

describe("placing workloads", () => {
  it("takes the label for the identity, whatever the container is called", () => {
    expect(place([node("n1", ["any-name"])])).to.deep.equal([{ id: "w", node: "n1", conflict: [] }]);
  });

  it("believes the source while a migration is pending and the destination once it has committed", () => {
    const both = [node("n1", ["w"]), node("n2", ["w"])];
    expect(place(both, { openMigrations: [migration("pending")] })).to.deep.equal([{ id: "w", node: "n1", conflict: [] }]);
    expect(place(both, { openMigrations: [migration("committed")] })).to.deep.equal([{ id: "w", node: "n2", conflict: [] }]);
  });

  it("calls a third copy during a migration a conflict", () => {
    const three = [node("n1", ["w"]), node("n2", ["w"]), node("n3", ["w"])];
    expect(place(three, { openMigrations: [migration("pending")] })[0]?.conflict).to.deep.equal(["n1", "n2", "n3"]);
  });

  it("ignores what a node said of it before the commit", () => {
    const moved = { owners: { w: "n2" }, lastMoved: { w: 99 } };
    expect(place([node("n1", ["w"], 98), node("n2", ["w"], 110)], moved)).to.deep.equal([{ id: "w", node: "n2", conflict: [] }]);
    expect(place([node("n1", ["w"], 98), node("n2", [], 98)], moved)).to.deep.equal([{ id: "w", node: "n2", conflict: [] }]);
  });

  it("calls two copies long after the commit a conflict, and names the owner's as the place", () => {
    const moved = { owners: { w: "n2" }, lastMoved: { w: 50 } };
    expect(place([node("n1", ["w"]), node("n2", ["w"])], moved)).to.deep.equal([{ id: "w", node: "n2", conflict: ["n1", "n2"] }]);
  });

  it("is certain of a conflict once two samples of the node have shown the copy that does not count", () => {
    const moved = { owners: { w: "n2" }, lastMoved: { w: 50 } };
    const both = { node: "n2", conflict: ["n1", "n2"] };
    const first = [node("n1", ["w"], 100), node("n2", ["w"], 100)];
    expect(follow(moved, first)).to.deep.equal([{ ...both, isCertain: false }]);
    expect(follow(moved, first, first)).to.deep.equal([{ ...both, isCertain: false }]);
    expect(follow(moved, first, [node("n1", ["w"], 100), node("n2", ["w"], 105)])).to.deep.equal([{ ...both, isCertain: false }]);
    expect(follow(moved, first, [node("n1", ["w"], 105), node("n2", ["w"], 105)])).to.deep.equal([{ ...both, isCertain: true }]);
  });

  it("is not certain of one that is only the left node's last sample before the move, dated after it by a clock that is ahead", () => {
    const moved = { owners: { w: "n2" }, lastMoved: { w: 100 } };
    const ahead = [node("n1", ["w"], 112), node("n2", ["w"], 101)];
    expect(follow(moved, ahead)).to.deep.equal([{ node: "n2", conflict: ["n1", "n2"], isCertain: false }]);
    expect(follow(moved, ahead, [node("n1", [], 117), node("n2", ["w"], 106)])).to.deep.equal([
      { node: "n2", conflict: [], isCertain: false },
    ]);
  });

  it("calls two copies on one node a conflict", () => {
    expect(place([node("n1", ["w-a", "w-b"])])).to.deep.equal([{ id: "w", node: "n1", conflict: ["n1", "n1"] }]);
  });

  it("believes what runs when the owner's entry is old and its node does not run it", () => {
    const moved = { owners: { w: "n2" }, lastMoved: { w: 50 } };
    expect(place([node("n1", ["w"]), node("n2", [])], moved)).to.deep.equal([{ id: "w", node: "n1", conflict: [] }]);
  });

  it("remembers a workload that one node has let go and the other has not reported yet", () => {
    const before = placeWorkloads(
      {
        at: 95,
        nodes: [node("n1", ["w"], 95)],
        owners: {},
        lastMoved: {},
        executors: new Map(),
        power: new Map(),
        homecomings: new Map(),
        flagDates: new Map(),
        pause: null,
        patterns: new Map(),
        openMigrations: [],
        closedMigrations: [],
      },
      new Map(),
    );
    const remembered = new Map(before.map((workload) => [workload.id, workload]));
    const moved = { owners: { w: "n2" }, lastMoved: { w: 99 } };
    expect(place([node("n1", [], 100), node("n2", [], 97)], moved, remembered)).to.deep.equal([{ id: "w", node: "n2", conflict: [] }]);
    expect(place([node("n1", [], 110), node("n2", [], 110)], moved, remembered)).to.deep.equal([]);
  });

  it("places by the records what has just come to a node that has not reported since, when nobody remembers it", () => {
    const closed = { workload: "w", name: "web", containerId: "c1" } as MigrationRecord;
    const moved = { owners: { w: "n2" }, lastMoved: { w: 99 }, closedMigrations: [closed] };
    const [placed] = placeWhole([node("n1", [], 100), node("n2", [], 97)], moved);
    expect(placed).to.include({ id: "w", node: "n2", readAt: null });
    expect(placed!.reading).to.include({ name: "web", containerId: "c1", cpuUsedCores: null, memoryUsedBytes: null });
    expect(place([node("n1", [], 110), node("n2", [], 110)], moved)).to.deep.equal([]);
  });

  it("places by its record what is under way and in no sample, at the end that counts", () => {
    const neither = [node("n1", []), node("n2", [])];
    expect(place(neither, { openMigrations: [migration("pending")] })).to.deep.equal([{ id: "w", node: "n1", conflict: [] }]);
    expect(place(neither, { openMigrations: [migration("committed")] })).to.deep.equal([{ id: "w", node: "n2", conflict: [] }]);
  });

  it("places nothing on a node that was never heard", () => {
    expect(place([silent("n1")])).to.deep.equal([]);
  });

  it("keeps what a silent node ran when it was last heard, until it is heard again or forgotten", () => {
    const [n1, n2] = [node("n1", ["w"], 95), node("n2", [])];
    const there = [{ node: "n1", conflict: [], isCertain: false }];
    expect(follow({}, [n1, n2], [silent("n1"), n2], [silent("n1"), n2])).to.deep.equal(there);
    expect(follow({}, [n1, n2], [silent("n1"), n2], [node("n1", ["w"], 105), n2])).to.deep.equal(there);
    expect(follow({}, [n1, n2], [silent("n1"), n2], [node("n1", [], 105), n2])).to.deep.equal([]);
    expect(follow({}, [n1, n2], [silent("n1"), n2], [n2])).to.deep.equal([]);
  });

  it("believes of a silent node what is newer: the records of a move, or what was seen since", () => {
    const n1 = node("n1", ["w"], 95);
    const moved = { owners: { w: "n2" }, lastMoved: { w: 99 } };
    expect(follow(moved, [n1, silent("n2")], [node("n1", [], 104), silent("n2")])[0]?.node).to.equal("n2");
    expect(follow(moved, [n1, node("n2", [], 97)], [silent("n1"), node("n2", [], 110)]), "n2 has let it go since").to.deep.equal([]);
    const old = { owners: { w: "n2" }, lastMoved: { w: 50 } };
    expect(follow(old, [n1, node("n2", [], 97)], [silent("n1"), node("n2", [], 110)])[0]?.node).to.equal("n1");
  });
});
