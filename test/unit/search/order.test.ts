import { expect } from "chai";
import { buildModel } from "../../../policies/search/build-model.js";
import { orderMoves } from "../../../policies/search/order.js";

const fleet = (capacities: readonly number[], workloads: readonly { node: number; requirement: number[] }[]) =>
  buildModel({ resources: [{}], nodes: capacities.map((c) => ({ capacity: [c] })), workloads });

describe("the order of moves", () => {
  const exchanged = [
    { node: 0, requirement: [6] },
    { node: 1, requirement: [6] },
  ];

  it("makes room first where one move waits for another", () => {
    const model = fleet([10, 10, 10], exchanged);
    const { steps, refused } = orderMoves(model, Int32Array.from([1, 2]));
    expect(steps.map((s) => [s.workload, s.from, s.to])).to.deep.equal([
      [1, 1, 2],
      [0, 0, 1],
    ]);
    expect(refused).to.deep.equal([]);
  });

  it("counts on the room that a finished move has left, transient or not", () => {
    const model = buildModel({
      resources: [{ transient: true }],
      nodes: [10, 10, 10].map((c) => ({ capacity: [c] })),
      workloads: exchanged,
    });
    expect(orderMoves(model, Int32Array.from([1, 2])).refused).to.deep.equal([]);
  });

  it("breaks a circle by parking one on a third node", () => {
    const model = fleet([10, 10, 10], exchanged);
    const { steps, refused, assignment } = orderMoves(model, Int32Array.from([1, 0]));
    expect(steps.map((s) => s.parking)).to.deep.equal([true, false, false]);
    expect(steps[0]?.to).to.equal(2);
    expect([...assignment]).to.deep.equal([1, 0]);
    expect(refused).to.deep.equal([]);
  });

  it("refuses a circle that no node has room to break, and leaves it where it was", () => {
    const model = fleet([10, 10, 5], exchanged);
    const { steps, refused, assignment } = orderMoves(model, Int32Array.from([1, 0]));
    expect(steps).to.deep.equal([]);
    expect(refused).to.have.members([0, 1]);
    expect([...assignment]).to.deep.equal([0, 1]);
  });
});
