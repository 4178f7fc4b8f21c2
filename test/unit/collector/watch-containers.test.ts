import { expect } from "chai";
import { pino } from "pino";
import { type ContainerWatch, type WatchTimes, watchContainers } from "../../../collector/watch-containers.js";
import { waitFor } from "../../support/wait-for.js";
import { type StandInEngine, startStandInEngine } from "./stand-in-engine.js";

/** No renewal by time, so that only events and failures can have caused one. */
const TIMES: WatchTimes = { answerSeconds: 0.3, renewSeconds: 3600, retrySeconds: 0.02, restSeconds: 0.01 };
const PATIENT: WatchTimes = { ...TIMES, answerSeconds: 10 };
const log = pino({ level: "silent" });

describe("watching containers", () => {
  let engine: StandInEngine;
  let watch: ContainerWatch;
  beforeEach(async () => {
    engine = await startStandInEngine();
    engine.containers = [{ id: "a".repeat(64), name: "a", pid: 10 }];
  });
  afterEach(async () => {
    await watch.close();
    await engine.close();
  });

  const names = async () => {
    const now = await watch.current();
    return now.known ? now.containers.map((container) => container.name) : now.because;
  };
  const follow = async (times = TIMES) => {
    watch = watchContainers(engine.docker, log, times);
    await waitFor("the watch to follow events", () => engine.followers === 1);
  };

  it("lists what runs, with pid, state, start and labels", async () => {
    engine.containers = [
      { id: "a".repeat(64), name: "a", pid: 10, labels: { "io.evenkeel.pin": "n1" } },
      { id: "b".repeat(64), name: "b", pid: 11, paused: true },
      { id: "c".repeat(64), name: "c", pid: 0, restarting: true },
    ];
    await follow();
    const now = await watch.current();
    expect(now.known && now.containers.map(({ name, state, pid }) => [name, state, pid])).to.deep.equal([
      ["a", "running", 10],
      ["b", "paused", 11],
      ["c", "restarting", 0],
    ]);
    expect(now.known && now.containers[0]).to.deep.include({ startedAt: 1795348800.5, labels: { "io.evenkeel.pin": "n1" } });
  });

  it("tells each container's networks, and those of the node", async () => {
    engine.networks = ["none", "lan", "bridge", "lan"];
    engine.containers = [
      { id: "a".repeat(64), name: "a", pid: 10, networks: ["lan", "bridge"] },
      { id: "b".repeat(64), name: "b", pid: 11, networkOf: "a".repeat(64) },
    ];
    await follow();
    const now = await watch.current();
    expect(now.known && now.containers.map(({ networks }) => networks)).to.deep.equal([["bridge", "lan"], []]);
    expect(watch.networks()).to.deep.equal(["bridge", "lan", "none"]);
  });

  it("tells what binds a container to its node, by one that has ended too, which is not among those that run", async () => {
    engine.containers = [
      { id: "a".repeat(64), name: "a", pid: 10, volumes: ["data"] },
      { id: "b".repeat(64), name: "b", pid: 11, volumes: ["own"] },
      { id: "c".repeat(64), name: "backup", pid: 0, volumes: ["data"], exited: true },
    ];
    await follow();
    const now = await watch.current();
    expect(now.known && now.containers.map(({ name, volumes, boundBy }) => [name, volumes, boundBy])).to.deep.equal([
      ["a", ["data"], [{ code: "volume-shared", because: "Volume data is also used by backup" }]],
      ["b", ["own"], []],
    ]);
  });

  it("tells the names of those that do not run, in order and not without end", async () => {
    const ended = (name: string, index: number) => ({ id: String(index).padStart(64, "0"), name, pid: 0, exited: true });
    engine.containers = [{ id: "a".repeat(64), name: "a", pid: 10 }, ...["old", "b".repeat(129), "late", "other/alias"].map(ended)];
    await follow();
    const endedNames = async () => {
      const now = await watch.current();
      return now.known ? now.endedNames : null;
    };
    expect(await endedNames()).to.deep.equal(["late", "old"]);
    engine.containers = Array.from({ length: 100 }, (_, index) => ended(`job-${String(index).padStart(3, "0")}`, index));
    watch.renew();
    const many = await endedNames();
    expect(many).to.have.length(64);
    expect(many?.at(-1)).to.equal("job-063");
  });

  it("lists the containers all the same when Docker does not tell its networks, which are then unknown and not none", async () => {
    engine.networks = null;
    await follow();
    expect(await names()).to.deep.equal(["a"]);
    expect(watch.networks()).to.equal(null);
  });

  it("gives those that share a network one group", async () => {
    engine.containers = [
      { id: "a".repeat(64), name: "a", pid: 10, labels: { "io.evenkeel.workload": "shop" } },
      { id: "b".repeat(64), name: "b", pid: 11, networkOf: "a".repeat(64) },
    ];
    await follow();
    const now = await watch.current();
    expect(now.known && now.containers.map(({ labels }) => labels["io.evenkeel.group"])).to.deep.equal([
      "network of shop",
      "network of shop",
    ]);
  });

  it("asks the engine nothing while nothing happens", async () => {
    await follow();
    const before = engine.lists;
    for (let index = 0; index < 5; index += 1) await watch.current();
    expect(engine.lists).to.equal(before);
  });

  it("lists again when an event tells that something changed", async () => {
    await follow();
    engine.containers = [...engine.containers, { id: "b".repeat(64), name: "b", pid: 11 }];
    engine.emit("start");
    await waitFor("the new container", async () => (await names()).includes("b"));
  });

  it("lets a burst of events pass before it lists again, unless somebody wants the list", async () => {
    await follow({ ...TIMES, restSeconds: 3600 });
    const before = engine.lists;
    engine.containers = [...engine.containers, { id: "b".repeat(64), name: "b", pid: 11 }];
    engine.emit("start");
    engine.emit("oom", "b".repeat(64));
    await waitFor("the events to come in", () => watch.oomEvents().size === 1);
    expect(engine.lists).to.equal(before);
    expect(await names()).to.deep.equal(["a", "b"]);
    expect(engine.lists).to.equal(before + 1);
  });

  it("lists by itself after the rest", async () => {
    await follow();
    const before = engine.lists;
    engine.emit("start");
    await waitFor("the list", () => engine.lists > before);
  });

  it("gives no list that an event has overtaken, but the one after it", async () => {
    await follow(PATIENT);
    let release = () => {};
    engine.whileListing = () => new Promise((resolve) => (release = resolve));
    const before = engine.lists;
    watch.renew();
    await waitFor("the list to be under way", () => engine.lists > before);
    engine.whileListing = () => {};
    engine.containers = [...engine.containers, { id: "b".repeat(64), name: "b", pid: 11 }];
    engine.emit("oom", "b".repeat(64));
    await waitFor("the event to come in", () => watch.oomEvents().size === 1);
    const given = names();
    release();
    expect(await given).to.deep.equal(["a", "b"]);
  });

  it("gives a list all the same where something starts or ends all the time", async () => {
    await follow(PATIENT);
    engine.whileListing = () => engine.emit("start");
    engine.emit("start");
    const before = engine.lists;
    await waitFor("events to overtake one list after the other", () => engine.lists > before + 3);
    for (let index = 0; index < 3; index += 1) expect(await names()).to.deep.equal(["a"]);
    // The last event of all is followed by a list too.
    engine.containers = [];
    engine.whileListing = () => {};
    await waitFor("the empty list", async () => (await names()).length === 0);
  });

  it("notices what changed while the event stream was cut", async () => {
    await follow();
    engine.containers = [{ id: "b".repeat(64), name: "b", pid: 11 }];
    engine.cutEvents();
    await waitFor("the new list", async () => (await names()).toString() === "b");
    await waitFor("a new stream", () => engine.followers === 1);
  });

  it("knows nothing, rather than an old or an empty list, from a failed list until the next good one", async () => {
    await follow();
    engine.behaviour = "fail";
    engine.emit("die");
    // A busy machine may have it give up waiting first, and say that.
    await waitFor("the list to be lost, and why", async () => (await names()).includes("engine is ill"));
    engine.behaviour = "serve";
    await waitFor("the list to be back", async () => (await names()).toString() === "a");
    await waitFor("a new stream", () => engine.followers === 1);
  });

  it("takes half a list for none", async () => {
    engine.behaviour = "half";
    watch = watchContainers(engine.docker, log, TIMES);
    await waitFor("the first list", () => engine.lists > 0);
    expect((await watch.current()).known).to.equal(false);
  });

  it("leaves out a container that ended between list and inspection", async () => {
    const vanishing = { id: "b".repeat(64), name: "b", pid: 11 };
    const kept = engine.containers;
    // The list still names it, the inspection does not find it any more.
    engine.containers = Object.assign([...kept], {
      map: () => [...kept, vanishing].map(({ id }) => ({ Id: id, Names: [], State: "running", Mounts: [] })),
    });
    await follow();
    expect(await names()).to.deep.equal(["a"]);
  });

  it("takes an engine that does not answer for lost", async () => {
    await follow();
    engine.behaviour = "hang";
    engine.emit("start");
    await waitFor("the list to be lost", async () => !(await watch.current()).known);
  });

  it("lists again now and then without any event", async () => {
    await follow({ ...TIMES, renewSeconds: 0.05 });
    engine.containers = [];
    await waitFor("the empty list", async () => (await names()).length === 0);
  });
});
