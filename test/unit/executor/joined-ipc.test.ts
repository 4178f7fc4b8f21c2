import { expect } from "chai";
import { type Field, numberIn, readImage, readMessage, writeImage, writeMessage } from "../../../executor/engine/docker/criu-messages.js";
import { attachDirectly, readSegments, withoutNextIds } from "../../../executor/engine/docker/joined-ipc.js";

const magic = Buffer.from("1943565420284957", "hex");
const image = (...messages: (readonly Field[])[]) => writeImage({ magic, messages: messages.map(writeMessage) });
const numbers = (values: Readonly<Record<number, bigint>>): Field[] =>
  Object.entries(values).map(([number, value]) => ({ number: Number(number), value }));

/** As CRIU writes a memory area: start, end, offset, segment, protection, flags, status, descriptor (-1), access of the file. */
const REGULAR = 1n;
const SYSTEM_V = REGULAR | (1n << 8n) | (1n << 10n);
const area = (
  start: bigint,
  pages: bigint,
  offset: bigint,
  segment: bigint,
  { status = SYSTEM_V, protection = 3n, access = 2n } = {},
): Field => ({
  number: 14,
  value: writeMessage(
    numbers({ 1: start, 2: start + pages * 4096n, 3: offset * 4096n, 4: segment, 5: protection, 6: 0x21n, 7: status, 8: 1n, 10: access }),
  ),
});
const memory = (...areas: Field[]) => image([{ number: 1, value: 0x400000n }, ...areas, { number: 15, value: 1n }]);
const areasOf = (bytes: Buffer) =>
  readMessage(readImage(bytes).messages[0]!).flatMap(({ number, value }) =>
    number === 14 && Buffer.isBuffer(value) ? [readMessage(value)] : [],
  );
/** Status, descriptor and protection of each area. */
const said = (bytes: Buffer) => areasOf(bytes).map((each) => [7, 8, 5].map((field) => numberIn(each, field)));

const DIRECT = REGULAR | (1n << 10n);
const AT = 0x7fff00000000n;

describe("the images of a workload that has joined another's IPC namespace", () => {
  it("tell the sizes of the segments in it", () => {
    const segment = (id: bigint, size: bigint): Field[] => [
      { number: 1, value: writeMessage(numbers({ 1: 7n, 6: 0o600n, 7: id })) },
      ...numbers({ 2: size, 3: 1n }),
    ];
    expect([...readSegments(image(segment(32_769n, 5000n), segment(0n, 4096n)))]).to.deep.equal([
      [32_769n, 5000n],
      [0n, 4096n],
    ]);
  });

  it("name the segment for CRIU to attach, for writing where it was, and leave all else as it is", () => {
    const plain = area(AT, 1n, 0n, 99n, { status: REGULAR | (1n << 9n) });
    const before = memory(plain, area(2n * AT, 2n, 0n, 5n), area(3n * AT, 2n, 0n, 5n, { protection: 1n, access: 0n }));
    const after = attachDirectly(before, new Map([[5n, 8000n]]));
    expect(said(after)).to.deep.equal([
      [REGULAR | (1n << 9n), 1n, 3n],
      [DIRECT, 10n, 7n],
      [DIRECT, 10n, 1n],
    ]);
    expect(readImage(after).magic).to.deep.equal(magic);
    expect(readMessage(readImage(after).messages[0]!).filter(({ number }) => number !== 14)).to.deep.equal(
      numbers({ 1: 0x400000n, 15: 1n }),
    );
    expect(attachDirectly(memory(plain), new Map())).to.deep.equal(memory(plain));
  });

  it("attach a segment once of which parts are protected in other ways", () => {
    const parts = [
      area(AT, 1n, 0n, 5n, { protection: 1n }),
      area(AT + 4096n, 1n, 1n, 5n),
      area(AT + 8192n, 2n, 2n, 5n, { protection: 1n }),
    ];
    expect(said(attachDirectly(memory(...parts), new Map([[5n, 16_384n]])))).to.deep.equal([
      [DIRECT, 10n, 5n],
      [DIRECT, 0xfffffffen, 3n],
      [DIRECT, 0xfffffffen, 1n],
    ]);
  });

  it("are refused where a part of a segment is not attached, or it is of another namespace", () => {
    const segments = new Map([[5n, 16_384n]]);
    const refuse = (...areas: Field[]) => expect(() => attachDirectly(memory(...areas), segments));
    refuse(area(AT, 2n, 0n, 5n)).to.throw("hole at its end");
    refuse(area(AT, 1n, 0n, 5n), area(AT + 8192n, 2n, 2n, 5n)).to.throw("with a hole");
    refuse(area(AT, 3n, 1n, 5n)).to.throw("with a hole");
    refuse(area(AT, 4n, 0n, 6n)).to.throw("another namespace");
  });

  it("ask for no id that the kernel would give to what the owner makes", () => {
    const [limits] = readImage(withoutNextIds(image(numbers({ 2: 8192n, 9: 0n, 15: 1n, 16: 2n, 17: 3n })))).messages;
    expect(readMessage(limits!)).to.deep.equal(numbers({ 2: 8192n, 9: 0n }));
  });

  it("are not taken for whole when they are cut short", () => {
    expect(() => readImage(memory(area(AT, 1n, 0n, 5n)).subarray(0, 30))).to.throw("ends within a message");
    expect(() => readMessage(Buffer.from([0x72, 5, 1]))).to.throw("ends within a field");
  });
});
