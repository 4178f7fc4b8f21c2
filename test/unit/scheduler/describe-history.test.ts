import { expect } from "chai";
import { describeHistory } from "../../../scheduler/page/src/describe-history.js";

const pointsAt = (times: number[], cpuRatio: number | null = 0.4) => times.map((at) => ({ at, cpuRatio, memoryRatio: 0.5 }));

describe("What the live page shows of a node's history", () => {
  it("is the last minutes of a node that reports", () => {
    const { series, span, spoken } = describeHistory(pointsAt([100, 105, 110]), 117);
    expect(series).to.deep.equal([
      [100, 105, 110],
      [0.4, 0.4, 0.4],
      [0.5, 0.5, 0.5],
    ]);
    expect(span).to.equal("last 10 s");
    expect(spoken).to.equal("CPU and memory of the last 10 s, CPU at most 40 %");
  });

  it("is not called the last minutes once a node has been silent for a few readings", () => {
    const { span, spoken } = describeHistory(pointsAt([100, 105, 110]), 413);
    expect(span).to.equal("10 s until 5 min 3 s ago");
    expect(spoken).to.equal("CPU and memory of 10 s until 5 min 3 s ago, CPU at most 40 %");
    expect(describeHistory(pointsAt([0, 60, 120]), 290).span).to.equal("last 2 min 0 s");
    expect(describeHistory(pointsAt([0, 60, 120]), 301).span).to.equal("2 min 0 s until 3 min 1 s ago");
  });

  it("has a gap where the node was silent, and none where a reading was late", () => {
    const [at, cpu, memory] = describeHistory(pointsAt([100, 105, 119, 419, 424]), 425).series;
    expect(at).to.deep.equal([100, 105, 119, 269, 419, 424]);
    expect(cpu).to.deep.equal([0.4, 0.4, 0.4, null, 0.4, 0.4]);
    expect(memory).to.deep.equal([0.5, 0.5, 0.5, null, 0.5, 0.5]);
    expect(describeHistory(pointsAt([100, 105, 405]), 406).series[0]).to.deep.equal([100, 105, 255, 405]);
  });

  it("is unknown, not idle, where every reading of the CPU failed", () => {
    expect(describeHistory(pointsAt([100, 105], null), 106).spoken).to.equal("CPU and memory of the last 5 s, CPU unknown");
  });
});
