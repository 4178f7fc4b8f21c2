import { type MovingFleet, startMovingFleet } from "./moving-fleet.js";
import { recordTicks, TICKER, type Ticks } from "./ticking-workload.js";

/** A fleet with the ticker on its first node, once it is heard. */
export async function startTickingFleet(name: string): Promise<{ moving: MovingFleet; ticks: Ticks }> {
  let ticks: Ticks;
  const moving = await startMovingFleet(name, [TICKER], {
    before: async (fleet) => {
      ticks = await recordTicks(fleet.lab);
    },
  });
  await ticks!.goOn();
  return { moving, ticks: ticks! };
}
