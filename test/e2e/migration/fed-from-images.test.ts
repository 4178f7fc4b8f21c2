import { expect } from "chai";
import { withProgram } from "../support/broken-program.js";
import { expectKept } from "../support/expect-kept.js";
import { listenForStage } from "../support/moments.js";
import { FIRST, type MovingFleet, SECOND } from "../support/moving-fleet.js";
import { useRenewedFleet } from "../support/renewed-fleet.js";
import { startTickingFleet } from "../support/ticking-fleet.js";
import { LOST_MEMORY, TICKER, type Ticks, woundBack } from "../support/ticking-workload.js";
import { settledOn } from "../support/traces.js";

const NAME = TICKER.name;
/** 0.2 s: it ends within some milliseconds. */
const MOST_TICKS_LOST = 10;

describe("A workload whose memory follows from images", function () {
  this.timeout(600_000);
  let ticks: Ticks;

  async function start(): Promise<MovingFleet> {
    const started = await startTickingFleet("e2e-fed");
    ticks = started.ticks;
    return started.moving;
  }

  const moving = useRenewedFleet(start);

  const node = (name: string) => moving().fleet.lab.node(name);

  it("is moved all the same when whoever was to feed it has ended before", async () => {
    const moment = await listenForStage(moving().fleet, "freeze");
    const id = await moving().begin(NAME, FIRST, SECOND, "stopcopy");
    await moment.reached;
    await node(SECOND).exec(["pkill", "-KILL", "-f", "^[^ ]*node .*image-feeder"]);
    moment.close();
    const record = await moving().closed(id);
    expect(record, record.errorMessage ?? "").to.include({ result: "succeeded", modeUsed: "stopcopy" });
    await settledOn(moving().fleet, NAME, SECOND);
    expectKept(await moving().answersOn(NAME));
    await ticks.goOn();
    expect(woundBack(await ticks.read())).to.deep.equal([]);
    await moving().moveWell(NAME, SECOND, FIRST);
  });

  it("does not go on with zeros for what is lost after the move: it ends, and is started anew", async () => {
    const record = await withProgram(
      node(SECOND),
      "/usr/sbin/criu",
      // As if the daemon had crashed as soon as the workload runs; the folder is that of the images, one below the restore's.
      [
        'case "$1" in lazy-pages)',
        'criu.real "$@" & daemon=$!',
        'until [ -e "$3/../resumed" ]; do kill -0 "$daemon" || break; done',
        'kill -KILL "$daemon"; wait "$daemon"; exit 137 ;;',
        "esac",
        'exec criu.real "$@"',
      ].join("\n"),
      () => moving().move(NAME, FIRST, SECOND, "stopcopy"),
    );
    expect(record.outcome).to.equal("committed");
    await settledOn(moving().fleet, NAME, SECOND);
    await ticks.goOn();
    // Between the two crashes there is a moment.
    expect((await ticks.read()).filter((tick) => tick === LOST_MEMORY).length).to.be.below(MOST_TICKS_LOST);
    expect(await moving().answersOn(NAME)).to.include({ wrongAnswers: 0, connectionKept: false });
  });
});
