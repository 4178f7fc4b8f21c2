import { expect } from "chai";
import { lineOfField } from "../../../platform/field-line.js";
import { parseConfig } from "../../../platform/load-config.js";

const text = `{
  "redis": { "url": "unix:///x", "note": "a } and a \\" in a string" },
  "list": [
    { "cron": "a" },
    [1, 2, {"deep": [true]}],
    {
      "cron": "b"
    }
  ],
  "policies": {
    "overload": { "enabled": true,
      "cpuFixRatio": 0.9
    }
  }
}`;

const thrownBy = (action: () => unknown): string => {
  try {
    action();
  } catch (error) {
    return (error as Error).message;
  }
  return "nothing";
};

describe("the line of a field", () => {
  for (const [path, line] of [
    [["redis"], 2],
    [["redis", "url"], 2],
    [["list", 0, "cron"], 4],
    [["list", 2, "cron"], 7],
    [["policies", "overload", "cpuFixRatio"], 12],
    [["list", 1, 2, "deep", 0], 5],
  ] as const) {
    it(`is ${line} for ${path.join(".")}`, () => {
      expect(lineOfField(text, path)).to.equal(line);
    });
  }

  it("is that of what surrounds it when the text does not hold it", () => {
    expect(lineOfField(text, ["policies", "overload", "missing"])).to.equal(11);
    expect(lineOfField(text, ["nowhere"])).to.equal(1);
    expect(lineOfField(text, ["redis", "url", "deeper"])).to.equal(2);
  });

  it("stands in what a wrong configuration is refused with", () => {
    const wrong = '{\n  "scheduler": {\n    "tickSeconds": "soon",\n    "tickSecond": 5\n  }\n}';
    const message = thrownBy(() => parseConfig(wrong, "config.json"));
    expect(message).to.contain("line 3, scheduler.tickSeconds:").and.to.contain("line 4, scheduler.tickSecond:");
  });

  it("stands in what a configuration that is not JSON is refused with", () => {
    expect(thrownBy(() => parseConfig('{\n  "redis": {},\n  oops\n}', "config.json"))).to.contain("line 3");
  });
});
