import { expect } from "chai";
import { judgeRefusal } from "../../../../executor/preflight/cpu.js";

const judge = (stderr: string) => judgeRefusal({ stderr, message: "Command failed: criu cpuinfo check" });

describe("What CRIU says of another CPU", () => {
  it("is a refusal where it names what does not match", () => {
    for (const words of [
      "CPU instruction capabilities do not match run time",
      "CPU xfeatures has unsupported bits (0x200)",
      "CPU xsave size mismatch (2696/2440)",
      "CPU xsave max size mismatch (2696/2440)",
      "FPU feature required by image is not supported on host (fpu:0 fxsr:0 osxsave:1 xsaves:1)",
    ]) {
      const { code, message } = judge(`Warn  (criu/kerndat.c:1): no cache\nError (criu/arch/x86/cpu.c:274): ${words}\n`);
      expect([code, message.includes(words)], words).to.deep.equal(["cpu-features", true]);
    }
  });
  it("is no verdict where it failed for another reason, or was killed", () => {
    expect(judge("Error (criu/image.c:1): Can't open cpuinfo.img: No space left on device\n").code).to.equal("cpu-unchecked");
    expect(judge("").code).to.equal("cpu-unchecked");
    expect(judgeRefusal({ message: "spawn criu ENOENT" }).message).to.include("ENOENT");
  });
});
