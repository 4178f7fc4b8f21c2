import type { Host, Vm } from "./fleet.js";
import { wattsAt } from "./setup.js";

/** What the literature measures a policy by. */
export interface Score {
  readonly kWh: number;
  /** Share of the active hosts' time in which a host gave less than it was asked for. */
  readonly slatah: number;
  /** Share of all MIPS asked for that was lost in migrations. */
  readonly pdm: number;
  /** slatah * pdm */
  readonly slav: number;
  /** kWh * slav */
  readonly esv: number;
  readonly migrations: number;
}

interface Reading {
  seconds: number;
  allocated: number;
  requested: number;
  /** Hosts: switched on. VMs: being migrated. */
  flag: boolean;
}

/** Adds up readings; each one holds until the next, and a later reading of the same instant replaces it. */
export class Meters {
  private joules = 0;
  private migrations = 0;
  private activeSeconds = 0;
  private shortSeconds = 0;
  private requested = 0;
  private lostInMigration = 0;
  private readonly hosts = new Map<Host, Reading>();
  private readonly vms = new Map<Vm, Reading>();

  countMigration(): void {
    this.migrations++;
  }

  /** Mean of the power at both ends of a frame; a host that was off at its start costs nothing in it. */
  addEnergy(host: Host, fromRatio: number, toRatio: number, seconds: number): void {
    if (fromRatio === 0 && !host.keptAwake) return;
    this.joules += ((wattsAt(host.kind, fromRatio) + wattsAt(host.kind, toRatio)) / 2) * seconds;
  }

  readHost(host: Host, reading: Reading): void {
    const last = this.hosts.get(host);
    if (last?.flag === true) {
      const seconds = reading.seconds - last.seconds;
      this.activeSeconds += seconds;
      if (last.allocated < last.requested) this.shortSeconds += seconds;
    }
    this.hosts.set(host, reading);
  }

  readVm(vm: Vm, reading: Reading): void {
    const last = this.vms.get(vm);
    if (last !== undefined) {
      const seconds = reading.seconds - last.seconds;
      this.requested += last.requested * seconds;
      if (last.flag && last.allocated < last.requested) this.lostInMigration += (last.requested - last.allocated) * seconds;
    }
    this.vms.set(vm, reading);
  }

  score(): Score {
    const kWh = this.joules / 3_600_000;
    const slatah = this.activeSeconds === 0 ? 0 : this.shortSeconds / this.activeSeconds;
    const pdm = this.requested === 0 ? 0 : this.lostInMigration / this.requested;
    return { kWh, slatah, pdm, slav: slatah * pdm, esv: kWh * slatah * pdm, migrations: this.migrations };
  }
}
