import { expect } from "chai";
import { parseConfig } from "../../../platform/config.js";

const parse = (config: unknown) => parseConfig(JSON.stringify(config, null, 2), "config.json");

describe("The configuration", () => {
  it("is refused when a node would be unknown whenever one sample is late", () => {
    expect(() => parse({ collector: { intervalSeconds: 30 } })).to.throw(/sampleTtlSeconds.*must be at least twice intervalSeconds/s);
    expect(() => parse({ collector: { sampleTtlSeconds: 9 } })).to.throw("sampleTtlSeconds");
    expect(parse({ collector: { intervalSeconds: 30, sampleTtlSeconds: 60 } }).collector).to.include({ sampleTtlSeconds: 60 });
  });
});
