import type { NodeSample, WorkloadSample } from "../../collector/protocol.js";

/**
 * Puts the strings that the node's last sample already held in place of the new copies of them. Most of a sample stays the same from one
 * reading to the next: kept strings are hashed once and compared by address, new ones die young. Changes `sample`, which must be the caller's own.
 */
export function reuseStrings(sample: NodeSample, previous: NodeSample): void {
  if (isSameList(sample.endedNames, previous.endedNames)) sample.endedNames = previous.endedNames;
  for (const [index, workload] of sample.workloads.entries()) {
    const before = previous.workloads[index];
    if (before?.id === workload.id) reuseOf(workload, before);
  }
}

function reuseOf(workload: WorkloadSample, before: WorkloadSample): void {
  workload.id = before.id;
  if (workload.containerId === before.containerId) workload.containerId = before.containerId;
  if (workload.name === before.name) workload.name = before.name;
  if (workload.image === before.image) workload.image = before.image;
  if (isSameList(workload.networks, before.networks)) workload.networks = before.networks;
  if (isSameList(workload.volumes, before.volumes)) workload.volumes = before.volumes;
  if (isSameBonds(workload.boundBy, before.boundBy)) workload.boundBy = before.boundBy;
  if (isSame(workload.labels, before.labels)) workload.labels = before.labels;
}

function isSameList(list: WorkloadSample["networks"], before: WorkloadSample["networks"]): boolean {
  if (!list || !before || list.length !== before.length) return false;
  return list.every((name, index) => name === before[index]);
}

function isSameBonds(bonds: WorkloadSample["boundBy"], before: WorkloadSample["boundBy"]): boolean {
  if (!bonds || !before || bonds.length !== before.length) return false;
  return bonds.every(({ code, because }, index) => code === before[index]!.code && because === before[index]!.because);
}

function isSame(labels: WorkloadSample["labels"], before: WorkloadSample["labels"]): boolean {
  let count = 0;
  for (const name in labels) {
    if (labels[name] !== before[name]) return false;
    count++;
  }
  return count === Object.keys(before).length;
}
