import type { Fleet, Host, Vm } from "./fleet.js";
import { HOST_MEMORY_MEGABYTES, VMS_PER_LINK, wattsAt } from "./setup.js";

/**
 * Where the day begins, the same for every policy: each VM, asked for at its full size, goes to the host whose power
 * rises least. Memory and link are reserved at this moment only; later they follow the demand, which is none.
 */
export function placeAll(fleet: Fleet): void {
  for (const vm of fleet.vms) {
    const host = cheapestHost(fleet.hosts, vm);
    if (host === null) throw new Error(`no host has room for VM ${vm.index}`);
    host.vms.push(vm);
    vm.host = host;
  }
}

function cheapestHost(hosts: readonly Host[], vm: Vm): Host | null {
  let best: Host | null = null;
  let bestWatts = Number.POSITIVE_INFINITY;
  for (const host of hosts) {
    if (host.kind.coreMips < vm.kind.mips || host.vms.length >= VMS_PER_LINK) continue;
    const memory = host.vms.reduce((sum, other) => sum + other.kind.memoryMegabytes, vm.kind.memoryMegabytes);
    const mips = host.vms.reduce((sum, other) => sum + other.kind.mips, vm.kind.mips);
    if (memory > HOST_MEMORY_MEGABYTES || mips > host.capacityMips) continue;
    const watts = wattsAt(host.kind, mips / host.capacityMips) - wattsAt(host.kind, 0);
    if (watts < bestWatts) {
      best = host;
      bestWatts = watts;
    }
  }
  return best;
}
