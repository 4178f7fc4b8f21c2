import { readFileSync } from "node:fs";
import { expect } from "chai";
import { projectPath } from "../../../platform/paths.js";
import { projectFiles } from "../../support/project-files.js";
import { importsOf, whyNotImport } from "./imports.js";

const sources = projectFiles().filter((path) => /\.tsx?$/.test(path));
const read = (path: string) => readFileSync(projectPath(path), "utf8");

describe("The layout", () => {
  it("lets no part reach into another", () => {
    const breaches = sources.flatMap((path) =>
      importsOf(path, read(path)).flatMap((target) => {
        const why = whyNotImport(path, target);
        return why === null ? [] : [`${path} imports ${target}: ${why}`];
      }),
    );
    expect(breaches).to.deep.equal([]);
  });

  it("keeps clocks, chance and I/O out of the policies", () => {
    const IMPURE = /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bperformance\.now\(|\bprocess\.|from "node:|\bfetch\(|\bsetTimeout\(/;
    expect(sources.filter((path) => path.startsWith("policies/") && IMPURE.test(read(path)))).to.deep.equal([]);
    const packages = sources.filter((path) => path.startsWith("policies/") && /from "[^."]/.test(read(path)));
    expect(packages).to.deep.equal([]);
  });

  it("reads the configuration and builds clients in main.ts files only", () => {
    const parts = sources.filter((path) => /^(collector|scheduler|executor)\//.test(path) && !path.endsWith("/main.ts"));
    const builders = parts.filter((path) => /(?<!function )\b(?:loadConfig|connectRedis|connectDocker)\(/.test(read(path)));
    expect(builders).to.deep.equal([]);
  });

  it("gives files names that say what they do", () => {
    const vague = sources.filter((path) => /(?:^|\/)(?:utils?|helpers?|common|misc|manager|index)(?:\/|\.tsx?$)/.test(path));
    expect(vague).to.deep.equal([]);
    const odd = sources.filter((path) => !/^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.(?:test|config))?\.tsx?$/.test(path.split("/").at(-1) ?? ""));
    expect(odd).to.deep.equal([]);
  });
});

describe("The rule on imports", () => {
  it("sees imports, exports, imports of types and dynamic ones, however they are broken into lines", () => {
    const text = `import { a } from "../platform/a.js";\nimport type {\n  B,\n} from "./b.js";\nexport { c } from "./c.js";\nimport "../d.js";\nawait import("./e.js");\nimport x from "zod";`;
    expect(importsOf("executor/main.ts", text)).to.deep.equal(["platform/a.js", "executor/b.js", "executor/c.js", "d.js", "executor/e.js"]);
  });

  it("lets parts speak by their protocols", () => {
    expect(whyNotImport("executor/worker.ts", "scheduler/protocol.js")).to.equal(null);
    expect(whyNotImport("executor/worker.ts", "scheduler/tick.js")).to.contain("protocol.ts");
    expect(whyNotImport("executor/worker.ts", "executor/peer/protocol.js")).to.equal(null);
    expect(whyNotImport("scheduler/tick.ts", "executor/peer/protocol.js")).to.contain("protocol.ts");
  });

  it("keeps policies and platform to themselves, and parts out of the lab", () => {
    expect(whyNotImport("policies/decide.ts", "platform/clock.js")).to.contain("nothing but policies");
    expect(whyNotImport("platform/redis.ts", "scheduler/protocol.js")).to.contain("nothing but platform");
    expect(whyNotImport("collector/main.ts", "lab/lab.js")).to.contain("platform, policies and protocols");
    expect(whyNotImport("lab/lab.ts", "executor/worker.js")).to.equal(null);
  });
});
