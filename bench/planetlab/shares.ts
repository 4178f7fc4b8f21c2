import type { Host, Vm } from "./fleet.js";
import { MIGRATING_DESTINATION_SHARE, MIGRATING_SOURCE_SHARE } from "./setup.js";

/**
 * MIPS that each VM of a host gets, in the order of `host.vms`. One VM runs on one core at most. When all together ask
 * for more than there is, each gets the same share of what it asked, in whole MIPS (CloudSim's oversubscribing scheduler).
 */
export function shareOut(host: Host): number[] {
  const asked = host.vms.map((vm) => Math.min(vm.demandMips, host.kind.coreMips));
  let total = 0;
  host.vms.forEach((vm, i) => {
    total += host.arriving.has(vm) ? (asked[i] as number) * MIGRATING_DESTINATION_SHARE : (asked[i] as number);
  });
  const scale = total > host.capacityMips ? host.capacityMips / total : 1;
  return host.vms.map((vm, i) => {
    const share = (asked[i] as number) * scale * migrationShare(host, vm);
    return scale < 1 ? Math.floor(share) : share;
  });
}

function migrationShare(host: Host, vm: Vm): number {
  if (host.arriving.has(vm)) return MIGRATING_DESTINATION_SHARE;
  return vm.migrating ? MIGRATING_SOURCE_SHARE : 1;
}
