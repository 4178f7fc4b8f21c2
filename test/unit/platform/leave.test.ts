import { spawnSync } from "node:child_process";
import { expect } from "chai";
import { projectPath } from "../../../platform/paths.js";

/** How a program ends that does that with platform/leave.ts. */
function ending(script: string): { code: number | null; signal: string | null; said: string } {
  const program = `const { leave, breakOff } = await import(${JSON.stringify(projectPath("dist/platform/leave.js"))});\n${script}`;
  const { status, signal, stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" });
  return { code: status, signal, said: stdout };
}

describe("The end of a program", () => {
  it("has the code that it is given", () => {
    expect(ending("setInterval(() => {}, 1000); leave(3);")).to.include({ code: 3 });
    expect(ending("process.exitCode = 4; leave(0);")).to.include({ code: 0 });
  });

  it("else has the one that was set before, or 0", () => {
    expect(ending("process.exitCode = 4; leave();")).to.include({ code: 4 });
    expect(ending("leave();")).to.include({ code: 0 });
  });

  it("comes at once by a signal, after what was said", () => {
    expect(ending('console.log("done"); breakOff(); console.log("and more");')).to.deep.equal({
      code: null,
      signal: "SIGKILL",
      said: "done\n",
    });
  });
});
