import { expect } from "chai";
import type { NodeIdentity, NodeSample } from "../../../collector/protocol.js";
import { makePublisher } from "../../../collector/publisher.js";
import { waitFor } from "../../support/wait-for.js";

const sample = (sequence: number) => ({ sequence }) as NodeSample;
const identity = { node: "n1" } as NodeIdentity;

/** A destination whose answers the test gives one by one. */
function makeDestination(timeoutSeconds = 60) {
  const calls: { sequence: number; identity: NodeIdentity | null; succeed: () => void; fail: () => void }[] = [];
  const counts = { failed: 0, abandoned: 0 };
  const succeeded: number[] = [];
  const publisher = makePublisher({
    push: ({ sequence }, announced) =>
      new Promise((resolve, reject) => {
        calls.push({ sequence, identity: announced, succeed: resolve, fail: () => reject(new Error("no")) });
      }),
    timeoutSeconds,
    abandon: () => {
      counts.abandoned += 1;
    },
    onFailure: () => {
      counts.failed += 1;
    },
    onSuccess: ({ sequence }) => void succeeded.push(sequence),
  });
  const answered = (count: number) => waitFor(`${count} answers`, () => counts.failed + succeeded.length === count);
  const called = (count: number) => waitFor(`${count} pushes`, () => calls.length === count);
  return { calls, counts, succeeded, publisher, answered, called };
}

describe("publishing samples", () => {
  it("pushes one at a time and skips those that a newer one has overtaken", async () => {
    const { calls, publisher, called, succeeded, answered } = makeDestination();
    for (const sequence of [1, 2, 3]) publisher.offer(sample(sequence));
    expect(calls.map((call) => call.sequence)).to.deep.equal([1]);
    calls[0]?.succeed();
    await called(2);
    expect(calls[1]?.sequence).to.equal(3);
    calls[1]?.succeed();
    await answered(2);
    expect(succeeded).to.deep.equal([1, 3]);
  });

  it("keeps a sample that failed and pushes it when Redis is back, unless a newer one exists by then", async () => {
    const { calls, publisher, called, answered } = makeDestination();
    publisher.offer(sample(1));
    calls[0]?.fail();
    await answered(1);
    await waitFor("a flush to begin", () => {
      publisher.flush();
      return calls.length === 2;
    });
    expect(calls[1]?.sequence).to.equal(1);
    publisher.offer(sample(2));
    calls[1]?.fail();
    await answered(2);
    await waitFor("a flush to begin", () => {
      publisher.flush();
      return calls.length === 3;
    });
    expect(calls[2]?.sequence).to.equal(2);
    calls[2]?.succeed();
    await called(3);
  });

  it("gives a push up that has no answer, and cuts the connection so that it cannot succeed late", async () => {
    const { counts, publisher, answered } = makeDestination(0.02);
    publisher.offer(sample(1));
    await answered(1);
    expect(counts).to.deep.equal({ failed: 1, abandoned: 1 });
  });

  it("sends an identity until one push with it has succeeded", async () => {
    const { calls, publisher, answered, called } = makeDestination();
    publisher.announce(identity);
    publisher.offer(sample(1));
    calls[0]?.fail();
    await answered(1);
    await waitFor("the next push", () => {
      publisher.offer(sample(2));
      return calls.length === 2;
    });
    calls[1]?.succeed();
    await answered(2);
    publisher.offer(sample(3));
    await called(3);
    expect(calls.map((call) => call.identity)).to.deep.equal([identity, identity, null]);
    calls[2]?.succeed();
  });
});
