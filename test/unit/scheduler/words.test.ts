import { expect } from "chai";
import { bytes, duration, parseDuration, percent } from "../../../scheduler/cli/words.js";

describe("words for people", () => {
  it("say that what is unknown is unknown", () => {
    expect([bytes(null), percent(null), duration(null)]).to.deep.equal(["?", "?", "?"]);
  });

  it("give amounts a fitting unit", () => {
    expect([0, 1023, 1536, 1024 ** 3, 200 * 1024 ** 2].map(bytes)).to.deep.equal(["0 B", "1023 B", "1.5 KiB", "1.0 GiB", "200 MiB"]);
    expect([0.25, 9, 42.4, 125, 7500, 200_000].map(duration)).to.deep.equal(["0.25 s", "9 s", "42 s", "2 min 5 s", "2 h 5 min", "2 d 7 h"]);
  });

  it("read durations as people write them, and nothing else", () => {
    expect(["90", "90s", "10m", "1h30m", "2d", "0.5s"].map(parseDuration)).to.deep.equal([90, 90, 600, 5400, 172_800, 0.5]);
    expect(["", "0", "-1s", "10 m", "soon", "1w", "m10"].map(parseDuration)).to.deep.equal(Array(7).fill(null));
  });
});
