import { setTimeout as delay } from "node:timers/promises";
import { expect } from "chai";
import { startRedis } from "../../../lab/fleet/parts.js";
import type { MigrationRecord } from "../../../platform/migration-record.js";
import { withHeldCriu } from "../support/broken-program.js";
import { expectKept } from "../support/expect-kept.js";
import { listenForStage } from "../support/moments.js";
import { FIRST, type MovingFleet, SECOND } from "../support/moving-fleet.js";
import { useRenewedFleet } from "../support/renewed-fleet.js";
import { startTickingFleet } from "../support/ticking-fleet.js";
import { TICKER, type Ticks, woundBack } from "../support/ticking-workload.js";
import { settledOn } from "../support/traces.js";

const NAME = TICKER.name;
type Part = "source" | "destination" | "redis";

/** Before these are over no commit is possible. */
const BEFORE_COMMIT = ["preflight", "reserve", "prepare", "freeze", "transfer"];
/** The source enters them only once it knows that the twin runs. */
const AFTER_COMMIT = ["resume", "cleanup"];

const CRASHES: readonly { readonly stage: string; readonly parts: readonly Part[] }[] = [
  ...[...BEFORE_COMMIT, "restore", "committed", ...AFTER_COMMIT].map((stage) => ({ stage, parts: ["source"] as const })),
  ...["prepare", "freeze", "transfer", "restore", "committed", ...AFTER_COMMIT].map((stage) => ({
    stage,
    parts: ["destination"] as const,
  })),
  ...["freeze", "restore", "committed"].map((stage) => ({ stage, parts: ["source", "destination"] as const })),
  ...["freeze", "restore", "resume"].map((stage) => ({ stage, parts: ["redis"] as const })),
];

const LONGEST_BLACKOUT_MILLISECONDS = 600;

describe("A migration in which something dies", function () {
  this.timeout(600_000);
  let ticks: Ticks;
  let here: string;

  async function start(): Promise<MovingFleet> {
    here = FIRST;
    const started = await startTickingFleet("e2e-crash");
    ticks = started.ticks;
    return started.moving;
  }

  const moving = useRenewedFleet(start);

  const other = () => (here === FIRST ? SECOND : FIRST);

  async function killAndRestart({ fleet, startExecutor }: MovingFleet, parts: readonly Part[]): Promise<void> {
    const { lab } = fleet;
    const nodes = parts.flatMap((part) => (part === "redis" ? [] : [part === "source" ? here : other()]));
    const services = [
      ...nodes.map((node) => lab.node(node).service("executor")),
      ...(parts.includes("redis") ? [lab.control.service("redis")] : []),
    ];
    await Promise.all(services.map((service) => service!.kill("SIGKILL")));
    if (parts.includes("redis")) await startRedis(lab, fleet.settings);
    await Promise.all(nodes.map((node) => startExecutor(node)));
  }

  /** One running copy, on the side that the record says, its connection and memory and files intact, and nothing else left. */
  async function endsWell({ fleet, closed, answersOn }: MovingFleet, id: string): Promise<MigrationRecord> {
    const record = await closed(id);
    expect(record.outcome).to.be.oneOf(["committed", "aborted"]);
    expect(record.result === "succeeded").to.equal(record.outcome === "committed");
    const owner = record.outcome === "committed" ? record.to : record.from;
    await settledOn(fleet, NAME, owner);
    here = owner;
    expectKept(await answersOn(NAME));
    await ticks.goOn();
    expect(woundBack(await ticks.read())).to.deep.equal([]);
    const { HostConfig } = await fleet.lab.node(owner).docker.getContainer(NAME).inspect();
    expect(HostConfig.RestartPolicy?.Name).to.equal("unless-stopped");
    return record;
  }

  for (const { stage, parts } of CRASHES) {
    it(`ends with one good copy when ${parts.join(" and ")} ${parts.length > 1 ? "are" : "is"} killed at ${stage}`, async () => {
      const moment = await listenForStage(moving().fleet, stage);
      const isBeforeCommit = !parts.includes("redis") && BEFORE_COMMIT.includes(stage);
      const kill = async () => {
        const begun = await moving().begin(NAME, here, other());
        await moment.reached;
        await killAndRestart(moving(), parts);
        if (isBeforeCommit) await moving().settled(begun);
        return begun;
      };
      try {
        const id = await (isBeforeCommit ? withHeldCriu(moving().fleet.lab.node(other()), kill) : kill());
        const record = await endsWell(moving(), id);
        if (isBeforeCommit) expect(record.outcome).to.equal("aborted");
        if (AFTER_COMMIT.includes(stage)) expect(record.outcome).to.equal("committed");
      } finally {
        moment.close();
      }
    });
  }

  for (let round = 0; round < 4; round++) {
    const milliseconds = Math.round(Math.random() * LONGEST_BLACKOUT_MILLISECONDS);
    const parts: readonly Part[] = [["source"], ["destination"], ["source", "destination"], ["redis"]][round] as Part[];
    it(`ends with one good copy when ${parts.join(" and ")} ${parts.length > 1 ? "are" : "is"} killed ${milliseconds} ms into the freeze`, async () => {
      const moment = await listenForStage(moving().fleet, "freeze");
      try {
        const id = await moving().begin(NAME, here, other());
        await moment.reached;
        await delay(milliseconds);
        await killAndRestart(moving(), parts);
        await endsWell(moving(), id);
      } finally {
        moment.close();
      }
    });
  }

  it("can be made again afterwards", async () => {
    for (let round = 0; round < 2; round++) {
      const id = await moving().begin(NAME, here, other());
      expect((await endsWell(moving(), id)).result).to.equal("succeeded");
    }
  });
});
