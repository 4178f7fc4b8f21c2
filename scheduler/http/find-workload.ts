import { EvenkeelError } from "../../platform/errors.js";
import type { FleetPicture } from "../fleet/build-snapshot.js";
import type { PlacedWorkload } from "../fleet/place-workloads.js";
import { namedBy } from "../name-workloads.js";

/** By id, by name, or by the beginning of an id or container id. @throws WORKLOAD_NOT_FOUND, WORKLOAD_AMBIGUOUS. */
export function findWorkload({ placed }: FleetPicture, wanted: string): PlacedWorkload {
  const fitting = namedBy(placed, wanted, ({ id, reading: { name, containerId } }) => ({ id, name, containerId }));
  if (fitting.length === 0) throw new EvenkeelError("WORKLOAD_NOT_FOUND", wanted);
  if (fitting.length > 1) {
    const names = fitting.map(({ id, node }) => `${id} on ${node}`).join(", ");
    throw new EvenkeelError("WORKLOAD_AMBIGUOUS", `${wanted} is ${names}`);
  }
  return fitting[0]!;
}
