import { expect } from "chai";
import { commandOfCheck } from "../../../executor/engine/docker/health-checks.js";

describe("A health check's command", () => {
  it("is what stands after CMD", () => {
    expect(commandOfCheck({ Healthcheck: { Test: ["CMD", "curl", "-f", "http://localhost"] } })).to.deep.equal([
      "curl",
      "-f",
      "http://localhost",
    ]);
  });

  it("is run by the image's shell, or the usual one, after CMD-SHELL", () => {
    const Healthcheck = { Test: ["CMD-SHELL", "curl localhost || exit 1"] };
    expect(commandOfCheck({ Healthcheck })).to.deep.equal(["/bin/sh", "-c", "curl localhost || exit 1"]);
    expect(commandOfCheck({ Healthcheck, Shell: ["/bin/bash", "-ec"] })).to.deep.equal(["/bin/bash", "-ec", "curl localhost || exit 1"]);
  });

  it("is none where there is no check, or it was switched off", () => {
    expect(commandOfCheck({})).to.equal(null);
    expect(commandOfCheck({ Healthcheck: null })).to.equal(null);
    expect(commandOfCheck({ Healthcheck: { Test: ["NONE"] } })).to.equal(null);
    expect(commandOfCheck({ Healthcheck: { Test: [] } })).to.equal(null);
  });
});
