import { expect } from "chai";
import { EventQueue } from "../../../executor/channel/events.js";
import { EvenkeelError } from "../../../platform/errors.js";

const DEADLINE_SECONDS = 30;

describe("The lines that scripts send", () => {
  it("wait for whoever asks for them later", async () => {
    const events = new EventQueue();
    events.push("namespace 4711");
    expect(await events.next(["namespace"], DEADLINE_SECONDS)).to.include({ word: "namespace", rest: "4711" });
  });

  it("reach the one who asked before they came", async () => {
    const events = new EventQueue();
    const asked = events.next(["start", "exit"], DEADLINE_SECONDS);
    events.push("exit 1");
    expect(await asked).to.include({ word: "exit", rest: "1" });
  });

  it("are given out once, in the order in which they came", async () => {
    const events = new EventQueue();
    for (const line of ["pre-dump", "exit 1", "exit 2"]) events.push(line);
    expect((await events.next(["exit"], DEADLINE_SECONDS)).rest).to.equal("1");
    expect((await events.next(["exit"], DEADLINE_SECONDS)).rest).to.equal("2");
    expect((await events.next(["pre-dump", "exit"], DEADLINE_SECONDS)).word).to.equal("pre-dump");
  });

  it("pass by those who wait for another word", async () => {
    const events = new EventQueue();
    const start = events.next(["start"], DEADLINE_SECONDS);
    events.push("network-lock");
    events.push("start");
    expect((await start).word).to.equal("start");
    expect((await events.next(["network-lock"], DEADLINE_SECONDS)).word).to.equal("network-lock");
  });

  it("keep everything after the first word, inner spaces and all", async () => {
    const events = new EventQueue();
    events.push("create /run/a folder  with spaces\n");
    expect((await events.next(["create"], DEADLINE_SECONDS)).rest).to.equal("/run/a folder  with spaces");
  });

  it("carry the time of their coming, which never goes back", async () => {
    const events = new EventQueue();
    events.push("one");
    events.push("two");
    const [one, two] = [await events.next(["one"], DEADLINE_SECONDS), await events.next(["two"], DEADLINE_SECONDS)];
    expect(two.at).to.be.at.least(one.at);
  });

  it("end every wait, now and later, when the other side has failed; what had come is still there", async () => {
    const events = new EventQueue();
    const waiting = events.next(["start"], DEADLINE_SECONDS).catch((error: unknown) => error);
    events.push("exit 1");
    const failure = new Error("docker start: no");
    events.fail(failure);
    events.fail(new Error("a later one says less"));
    expect(await waiting).to.equal(failure);
    expect(await events.next(["start"], DEADLINE_SECONDS).catch((error: unknown) => error)).to.equal(failure);
    expect((await events.next(["exit"], DEADLINE_SECONDS)).rest).to.equal("1");
  });

  it("are not waited for beyond the deadline", async () => {
    const error = await new EventQueue().next(["start", "exit"], 0.01).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(EvenkeelError);
    expect(String(error)).to.include("start or exit");
  });

  it("are not swallowed by a wait that was given up", async () => {
    const events = new EventQueue();
    await events.next(["start"], 0.01).catch(() => {});
    events.push("start");
    expect((await events.next(["start"], DEADLINE_SECONDS)).word).to.equal("start");
  });
});
