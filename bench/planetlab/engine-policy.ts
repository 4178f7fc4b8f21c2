import { completeConfig, type PolicyConfig } from "../../policies/config.js";
import { MAY_SLEEP_LABEL } from "../../policies/consolidate/policy.js";
import { WATTS_LABEL } from "../../policies/consolidate/watts.js";
import { decide } from "../../policies/decide.js";
import { learnLoad } from "../../policies/forecast/load-forecast.js";
import type { LoadPast, NodePoint, NodeState, OpenMigration, Plan, WorkloadState } from "../../policies/types.js";
import { type Followed, rememberRecentUse, type SampleTime } from "../../scheduler/fleet/recent-use.js";
import { smoothRatio } from "../../scheduler/fleet/smooth.js";
import type { Decision, Fleet, Host, TickingPolicy, Vm } from "./fleet.js";
import { MIGRATION_MEGABYTES_PER_SECOND } from "./setup.js";

/** One unit of CPU for hosts and VMs alike. */
const MIPS_PER_CORE = 1000;
const BYTES_PER_MEGABYTE = 2 ** 20;
/** The literature lets memory set the length of a migration only. */
const HOST_MEMORY_BYTES = 2 ** 50;
const TICK_SECONDS = 15;
/** As the scheduler smooths, and as far as it looks back. */
const SMOOTHING_SECONDS = 20;
const HISTORY_SECONDS = 400;
const DAY_SECONDS = 86_400;

interface Move {
  readonly from: Host;
  readonly to: Host;
  readonly endsAt: number;
}

/** The engine as the scheduler runs it: a snapshot at each tick, `decide`, and its plan carried out. Between two readings it sees the last one. */
export function enginePolicy(name: string, config: PolicyConfig): TickingPolicy {
  const histories = new Map<Host, NodePoint[]>();
  const asleep = new Map<Host, NodeState>();
  const wokenAt = new Map<Host, number>();
  const moves = new Map<Vm, Move[]>();
  const pasts = new Map<Vm, LoadPast>();
  const recentUse = rememberRecentUse();
  const { forecast } = completeConfig(config).consolidate;
  const remember = (vm: Vm, readAt: number) => {
    const past = learnLoad(pasts.get(vm) ?? null, askedOn(vm.host!, vm) / MIPS_PER_CORE, readAt, forecast);
    pasts.set(vm, past);
    return past;
  };
  const read = (host: Host, now: number): NodeState => {
    const guests = host.vms.filter((vm) => vm.host === host);
    const askedMips = guests.reduce((sum, vm) => sum + askedOn(host, vm), 0);
    const cpuRatio = Math.min(1, askedMips / host.capacityMips);
    const memoryBytes = guests.reduce((sum, vm) => sum + vm.kind.memoryMegabytes, 0) * BYTES_PER_MEGABYTE;
    const point = { at: now, cpuRatio, memoryRatio: memoryBytes / HOST_MEMORY_BYTES };
    const history = [...(histories.get(host) ?? []).filter(({ at }) => at > now - HISTORY_SECONDS), point];
    histories.set(host, history);
    const cpuCapacityCores = host.capacityMips / MIPS_PER_CORE;
    return {
      ...silent(host),
      state: "ready",
      cpuUsedCores: smoothRatio(history, "cpuRatio", SMOOTHING_SECONDS)! * cpuCapacityCores,
      memoryUsedBytes: memoryBytes,
      history,
      wokenAt: wokenAt.get(host) ?? null,
    };
  };
  const see = (host: Host, now: number): NodeState => {
    if (host.keptAwake) return read(host, now);
    histories.delete(host);
    const known = asleep.get(host) ?? { ...silent(host), power: "asleep" as const };
    asleep.set(host, known);
    return known;
  };
  const carryOut = (plan: Plan, fleet: Fleet, now: number): Decision => {
    const hostOf = (id: string) => fleet.hosts[Number(id)]!;
    const migrations = plan.moves.map(({ workload, to: target }) => {
      const vm = fleet.vms[Number(workload)]!;
      const to = hostOf(target);
      const seconds = vm.kind.memoryMegabytes / MIGRATION_MEGABYTES_PER_SECOND;
      moves.set(vm, [
        ...(moves.get(vm) ?? []).filter(({ endsAt }) => endsAt > now - DAY_SECONDS),
        { from: vm.host!, to, endsAt: now + seconds },
      ]);
      return { vm, to };
    });
    const changed = (to: "wake" | "sleep") => plan.power.filter((change) => change.to === to).map(({ node }) => hostOf(node));
    const wake = changed("wake");
    for (const host of wake) wokenAt.set(host, now);
    return { migrations, wake, sleep: changed("sleep") };
  };
  return {
    name,
    tickSeconds: TICK_SECONDS,
    decide: (fleet, now) => {
      const running = fleet.vms.filter((vm) => vm.host !== null);
      recentUse.follow(running.map(toPlaced), sampledAt(fleet, now), {
        smoothingSeconds: SMOOTHING_SECONDS,
        lastMoved: NOTHING_TO_CATCH_UP,
      });
      const snapshot = {
        at: now,
        nodes: fleet.hosts.map((host) => see(host, now)),
        workloads: running.map((vm) => ({
          ...toWorkload(vm, vm.host!, moves.get(vm) ?? []),
          ...recentUse.of(idOf(vm)),
          cpuPast: remember(vm, fleet.readAt),
        })),
        migrations: running.filter(({ migrating }) => migrating).map((vm) => toMigration(vm, moves.get(vm)!.at(-1)!)),
      };
      return carryOut(decide(snapshot, config, now), fleet, now);
    },
  };
}

/** In the traces a VM asks for the same whether it was moved or not. */
const NOTHING_TO_CATCH_UP = {};

function sampledAt({ hosts }: Fleet, now: number): Map<string, SampleTime> {
  const time = { at: now, since: now - TICK_SECONDS };
  return new Map(hosts.filter(({ keptAwake }) => keptAwake).map((host) => [idOf(host), time]));
}

function toPlaced(vm: Vm): Followed {
  return { id: idOf(vm), node: idOf(vm.host!), reading: { cpuUsedCores: askedOn(vm.host!, vm) / MIPS_PER_CORE } };
}

/** MIPS that a VM asked for at the last reading; it has one core at most. */
function askedOn(host: Host, vm: Vm): number {
  return Math.min((vm.history[0] ?? 1) * vm.kind.mips, host.kind.coreMips);
}

const ID_DIGITS = 4;

/** In order of id as in order of index. */
function idOf({ index }: Host | Vm): string {
  return String(index).padStart(ID_DIGITS, "0");
}

function silent(host: Host): NodeState {
  return {
    id: idOf(host),
    state: "unknown",
    cpuCapacityCores: host.capacityMips / MIPS_PER_CORE,
    memoryCapacityBytes: HOST_MEMORY_BYTES,
    cpuUsedCores: null,
    memoryUsedBytes: null,
    history: [],
    maintenance: null,
    labels: { [MAY_SLEEP_LABEL]: "true", [WATTS_LABEL]: host.kind.watts.join(",") },
    linkBytesPerSecond: MIGRATION_MEGABYTES_PER_SECOND * BYTES_PER_MEGABYTE,
  };
}

function toWorkload(vm: Vm, host: Host, moves: readonly Move[]): WorkloadState {
  const done = vm.migrating ? moves.slice(0, -1) : moves;
  return {
    id: idOf(vm),
    name: `vm-${vm.index}`,
    node: idOf(host),
    cpuUsedCores: askedOn(host, vm) / MIPS_PER_CORE,
    memoryUsedBytes: vm.kind.memoryMegabytes * BYTES_PER_MEGABYTE,
    cpuLimitCores: vm.kind.mips / MIPS_PER_CORE,
    memoryLimitBytes: vm.kind.memoryMegabytes * BYTES_PER_MEGABYTE,
    constraints: { mode: "auto", antiAffinityGroup: null, pinnedTo: [] },
    lastMovedAt: done.at(-1)?.endsAt ?? null,
    lastMovedFrom: done.length === 0 ? null : idOf(done.at(-1)!.from),
    recentMoves: done.map(({ endsAt }) => endsAt),
  };
}

function toMigration(vm: Vm, { from, to, endsAt }: Move): OpenMigration {
  return { id: `${vm.index} ${endsAt}`, workload: idOf(vm), from: idOf(from), to: idOf(to) };
}
