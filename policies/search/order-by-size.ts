import type { SearchModel } from "./model.js";

/** Workloads, biggest first: the sum over resources of their share of all capacity. */
export function orderBySize(model: SearchModel): Int32Array {
  const { resources, requirement, capacity, workloads } = model;
  const total = new Float64Array(resources);
  for (let i = 0; i < capacity.length; i++) total[i % resources] = total[i % resources]! + capacity[i]!;
  const size = new Float64Array(workloads);
  for (let w = 0; w < workloads; w++) {
    for (let r = 0; r < resources; r++) if (total[r]! > 0) size[w] = size[w]! + requirement[w * resources + r]! / total[r]!;
  }
  return Int32Array.from(size, (_, w) => w).sort((a, b) => size[b]! - size[a]! || a - b);
}
