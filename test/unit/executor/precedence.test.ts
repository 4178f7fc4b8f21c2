import { getPriority } from "node:os";
import { expect } from "chai";
import { takePrecedence } from "../../../executor/pages/precedence.js";
import { waitFor } from "../../support/wait-for.js";

describe("The precedence of whoever brings pages", () => {
  it("begins at once, and ends some time after the first request, as it was", async () => {
    const usual = getPriority();
    const note = takePrecedence();
    expect(getPriority()).to.equal(Math.min(-10, usual));
    note();
    note();
    expect(getPriority()).to.equal(Math.min(-10, usual));
    await waitFor("the usual niceness", () => getPriority() === usual);
  });
});
