import { expect } from "chai";
import type { Redis } from "ioredis";
import { answerQuestions } from "../../../executor/answer-questions.js";
import type { Question } from "../../../executor/protocol.js";
import { EvenkeelError } from "../../../platform/errors.js";
import { type Keys, makeKeys } from "../../../platform/keys.js";
import { makeLog } from "../../../platform/log.js";
import { askExecutors } from "../../../scheduler/ask/ask-executors.js";
import { startRedis, type ThrowAwayRedis } from "../../support/redis.js";
import { waitFor } from "../../support/wait-for.js";

describe("A question of a scheduler to an executor", () => {
  let server: ThrowAwayRedis;
  let redis: Redis;
  let keys: Keys;
  let asked: Question[];
  let answering: { close(): void };
  const log = makeLog("executor");
  log.level = "silent";
  const doctor = (...peers: string[]) => ({ node: "n1", question: { kind: "doctor" as const, peers } });

  beforeEach(async () => {
    server = await startRedis();
    redis = server.connect();
    keys = makeKeys();
    asked = [];
    answering = answerQuestions({ redis: server.connect(), keys, node: "n1", log }, async (question) => {
      asked.push(question);
      if (question.kind === "preflight") throw new EvenkeelError("WORKLOAD_NOT_FOUND", question.name);
      return { peers: question.peers };
    });
  });
  afterEach(async () => {
    answering.close();
    await server.close();
  });

  it("is answered, many side by side, each with its own", async () => {
    const questions = ["a", "b", "c"].map((peer) => doctor(peer));
    expect(await askExecutors(redis, keys, questions, 20)).to.deep.equal([{ peers: ["a"] }, { peers: ["b"] }, { peers: ["c"] }]);
  });

  it("brings back the executor's own error", async () => {
    const question = { kind: "preflight" as const, name: "web", containerId: "c", from: "n1", to: "n2" };
    const [answer] = await askExecutors(redis, keys, [{ node: "n1", question }], 20);
    expect(answer).to.be.instanceOf(EvenkeelError);
    expect(answer).to.include({ code: "WORKLOAD_NOT_FOUND", detail: "web" });
  });

  it("is not waited for, and not left behind, when there is no executor to take it", async () => {
    expect(await askExecutors(redis, keys, [{ ...doctor(), node: "n9" }, doctor()], 600)).to.deep.equal([null, { peers: [] }]);
    expect(await redis.llen(keys.questions("n9"))).to.equal(0);
  });

  it("is dropped when it has waited too long, and so is what nobody understands", async () => {
    const late = { id: "late", expiresAt: Date.now() / 1000 - 1, question: { kind: "doctor", peers: ["late"] } };
    await redis.rpush(
      keys.questions("n1"),
      JSON.stringify(late),
      "not JSON",
      JSON.stringify({ id: "x", expiresAt: 1e12, question: { kind: "dance" } }),
    );
    await askExecutors(redis, keys, [doctor("after")], 20);
    await waitFor("the list to be empty", async () => (await redis.llen(keys.questions("n1"))) === 0);
    expect(asked).to.deep.equal([{ kind: "doctor", peers: ["after"] }]);
  });

  it("is heard again after Redis was away", async () => {
    await redis.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    expect(await askExecutors(redis, keys, [doctor("again")], 20)).to.deep.equal([{ peers: ["again"] }]);
  });
});
