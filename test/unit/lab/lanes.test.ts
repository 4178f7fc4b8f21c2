import { expect } from "chai";
import { type Job, listJobs, mayBegin } from "../../jobs.js";
import { runInLanes } from "../../lanes.js";

const job = (name: string, kind: Job["kind"] = "e2e"): Job => ({ name, kind, files: [] });

/** Jobs that end when they are told to, and who runs beside whom. */
function watch(jobs: readonly Job[], lanes: number, isOver = () => false) {
  const running = new Map<string, () => void>();
  const order: string[] = [];
  const done = runInLanes(
    jobs,
    lanes,
    ({ name }) =>
      new Promise<void>((resolve) => {
        order.push(name);
        running.set(name, () => {
          running.delete(name);
          resolve();
        });
      }),
    isOver,
  );
  const end = async (name: string) => {
    running.get(name)!();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { done, order, running: () => [...running.keys()], end };
}

describe("Test jobs in lanes", () => {
  it("run as many at once as there are lanes, and each exactly once", async () => {
    const watched = watch(
      ["a", "b", "c"].map((name) => job(name)),
      2,
    );
    expect(watched.running()).to.deep.equal(["a", "b"]);
    await watched.end("b");
    expect(watched.running()).to.deep.equal(["a", "c"]);
    await watched.end("a");
    await watched.end("c");
    await watched.done;
    expect(watched.order).to.deep.equal(["a", "b", "c"]);
  });

  it("run nothing beside an emulated fleet but one of those that wait for nobody", async () => {
    const light = [job("i", "integration"), job("u", "unit"), job("p", "property")];
    const watched = watch([job("v1", "vm"), job("v2", "vm"), job("a"), job("b"), ...light], 3);
    expect(watched.running()).to.deep.equal(["v1", "u"]);
    await watched.end("u");
    expect(watched.running()).to.deep.equal(["v1", "p"]);
    await watched.end("v1");
    expect(watched.running()).to.deep.equal(["p", "v2"]);
    await watched.end("p");
    expect(watched.running()).to.deep.equal(["v2"]);
    await watched.end("v2");
    expect(watched.running()).to.deep.equal(["a", "b", "i"]);
    await watched.end("i");
    await watched.end("a");
    await watched.end("b");
    await watched.done;
  });

  it("begin with what says most in least time, and end with the emulated fleets", () => {
    const kinds = listJobs(["vm", "e2e", "unit"], false).map(({ kind }) => kind);
    const emulated = kinds.filter((kind) => kind === "vm").length;
    expect(emulated).to.be.greaterThan(1);
    expect(kinds[0]).to.equal("unit");
    expect(kinds.slice(-emulated)).to.deep.equal(Array(emulated).fill("vm"));
  });

  it("run what needs the machine for itself with nothing beside it", () => {
    const story = job("e2e/story/story");
    expect(mayBegin(story, [job("a")])).to.equal(false);
    expect(mayBegin(story, [])).to.equal(true);
    expect(mayBegin(job("a"), [story])).to.equal(false);
  });

  it("begin nothing more once the run is over, and wait for those that run", async () => {
    let isOver = false;
    const watched = watch([job("a"), job("b")], 1, () => isOver);
    isOver = true;
    await watched.end("a");
    await watched.done;
    expect(watched.order).to.deep.equal(["a"]);
  });

  it("are all the test files there are, each in one job", () => {
    const whole = listJobs(["unit", "e2e", "vm"], true).flatMap(({ files }) => files);
    const apart = listJobs(["unit", "e2e", "vm"], false);
    expect(apart.flatMap(({ files }) => files)).to.have.members(whole);
    expect(apart.filter(({ kind }) => kind === "e2e").every(({ files }) => files.length === 1)).to.equal(true);
    expect(apart.map(({ name }) => name)).to.include.members(["unit", "e2e/story/story"]);
  });
});
