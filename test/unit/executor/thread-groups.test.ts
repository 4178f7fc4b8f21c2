import { expect } from "chai";
import { type Field, readImage, readMessage, writeImage, writeMessage } from "../../../executor/engine/docker/criu-messages.js";
import { withoutThreadGroup } from "../../../executor/engine/docker/thread-groups.js";

const magic = Buffer.from("1943565412345678", "hex");
const message = (number: number, ...fields: Field[]): Field => ({ number, value: writeMessage(fields) });
const core = (...fields: Field[]) => writeImage({ magic, messages: [writeMessage([{ number: 1, value: 1n }, ...fields])] });
/** As CRIU writes a thread: its futex list, its name, its control groups. */
const thread = (...more: Field[]) =>
  message(5, { number: 1, value: 0x7f00n }, { number: 2, value: 24n }, { number: 13, value: Buffer.from("worker") }, ...more);
const inGroup: Field = { number: 16, value: 3n };

describe("the image of a thread", () => {
  it("loses the control groups of its own, and nothing else", () => {
    const registers = message(2, { number: 1, value: 5n });
    expect(withoutThreadGroup(core(registers, thread(inGroup)))).to.deep.equal(core(registers, thread()));
    expect(withoutThreadGroup(core(registers, thread()))).to.deep.equal(core(registers, thread()));
  });

  it("keeps them where it is the first of a process, which is restored into them", () => {
    expect(withoutThreadGroup(core(message(3, { number: 1, value: 1n }), thread(inGroup)))).to.equal(null);
  });

  it("is not made up of one that is cut short", () => {
    const whole = core(thread(inGroup));
    expect(() => withoutThreadGroup(whole.subarray(0, whole.length - 3))).to.throw();
    expect(readMessage(readImage(whole).messages[0]!)).to.have.length(2);
  });
});
