import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { waitFor } from "../deadline.js";
import type { Machine } from "../machine.js";
import { CONTROL_SOCKET, inGuest, masterCommand } from "./guest-command.js";

/** One CPU is emulated by one thread of the host. */
export interface GuestSize {
  readonly cpuCores: number;
  readonly memoryBytes: number;
}

const DISK = "/var/lib/evenkeel/disk.qcow2";
const MONITOR = "/run/monitor.sock";
const MIB = 1 << 20;
/** Emulated, on a busy machine: a boot takes from 15 s to a minute. */
const BOOT_DEADLINE_SECONDS = 600;
const CONSOLE_LINES = 15;

/** The card's address on the machine from which all are copied; each node gets its own later. */
const FIRST_MAC = "02:4e:00:00:00:01";
const CONTROL_MAC = "02:4e:01:00:00:02";

/**
 * What runs a guest. A byte at a time is emulated as slowly as eight, so the guest is told that its CPU is not quick at the former (erms, fsrm): it clears
 * and copies pages by the latter then.
 */
export function qemuCommand({ cpuCores, memoryBytes }: GuestSize, wake: string | null): string[] {
  const card = (id: string, mac: string) => [
    "-netdev",
    `tap,id=${id},ifname=${id},script=no,downscript=no`,
    "-device",
    `virtio-net-pci,netdev=${id},mac=${mac},romfile=`,
  ];
  const folder = (tag: string, path: string, options = "") => [
    "-virtfs",
    `local,path=${path},mount_tag=${tag},security_model=none${options}`,
  ];
  const words = (line: string) => line.split(" ");
  return [
    "qemu-system-x86_64",
    ...words("-machine q35,graphics=off -accel tcg,thread=multi,tb-size=512 -cpu max,la57=off,erms=off,fsrm=off"),
    ...words(`-smp ${cpuCores} -m ${Math.floor(memoryBytes / MIB)} -nodefaults -no-user-config -display none -no-reboot`),
    ...words("-kernel /var/lib/guest/vmlinuz -initrd /var/lib/guest/initramfs"),
    "-append",
    "console=ttyS0 net.ifnames=0 quiet panic=-1 mitigations=off nokaslr audit=0 nowatchdog",
    ...words(`-serial file:/var/log/lab/console.log -monitor unix:${MONITOR},server=on,wait=off -device virtio-rng-pci`),
    // Writes that the guest has flushed are in the host's page cache, which outlives QEMU: killing it is a power cut, not a lost disk.
    ...words(`-drive file=${DISK},if=none,id=disk,cache=writeback,discard=unmap -device virtio-blk-pci,drive=disk`),
    ...card("fleet", FIRST_MAC),
    ...card("control", CONTROL_MAC),
    ...folder("project", "/opt/evenkeel", ",readonly=on,multidevs=remap"),
    ...folder("shared", "/shared"),
    ...folder("log", "/var/log/lab"),
    ...(wake === null ? [] : words(`-incoming file:${wake}`)),
  ];
}

/** Plugs the guest's cards in, once for the machine: `fleet` to the fabric's bridge through a bridge of its own, `control` to the machine alone. */
export async function plugIn(outer: Machine): Promise<void> {
  await outer.exec(["bash", "/opt/evenkeel/lab/vm/scripts/plug-in.sh"]);
}

/** `backing`: the disk to start from, as the machine sees it. */
export async function makeDisk(outer: Machine, backing: { readonly path: string; readonly format: "raw" | "qcow2" }): Promise<void> {
  await outer.exec(["qemu-img", "create", "-q", "-f", "qcow2", "-b", backing.path, "-F", backing.format, DISK]);
}

/** Power on: a boot from the disk, or, with `wake`, a copy of a machine that was booted already. Resolves when commands can be run in it. */
export async function powerOn(outer: Machine, size: GuestSize, wake: string | null): Promise<void> {
  const qemu = await outer.spawn(qemuCommand(size, wake), { name: "qemu" });
  await waitFor(`the guest of ${outer.name} to answer`, BOOT_DEADLINE_SECONDS, async () => {
    if (outer.service("qemu") !== qemu) throw new Error("QEMU ended");
    if (outer.service("control") === undefined) {
      // A killed master leaves its socket, and the next one would take it for a living one's.
      await outer.exec(["rm", "-f", CONTROL_SOCKET]);
      await outer.spawn(masterCommand, { name: "control" }).catch(() => undefined);
    }
    return (await outer.exec(inGuest(["true"]), { reject: false, timeoutSeconds: 30 })).exitCode === 0;
  }).catch(async (error: unknown) => {
    const log = async (name: string) => (await readFile(join(outer.folder, "log", name), "utf8").catch(() => "")).split("\n");
    const words = [...(await log("qemu.log")), ...(await log("console.log"))].slice(-CONSOLE_LINES);
    throw new Error(`${String(error)}\n${words.join("\n")}`, { cause: error });
  });
}

/** A power cut: nothing is flushed, nobody is told. */
export async function cutPower(outer: Machine): Promise<void> {
  // While the guest can still answer, so that no half-closed connection stays.
  await outer.service("control")?.kill("SIGKILL");
  await outer.service("qemu")?.kill("SIGKILL");
}

/** Says something to QEMU's monitor and returns its answer. */
export async function tellMonitor(outer: Machine, words: string, timeoutSeconds = 120): Promise<string> {
  const { stdout } = await outer.exec(["socat", "-t", String(timeoutSeconds), "-", `UNIX-CONNECT:${MONITOR}`], {
    input: `${words}\n`,
    timeoutSeconds,
  });
  return stdout;
}

/** True where QEMU can emulate: the architecture whose kernel the lab's tree has. */
export function whyNoGuests(): string | null {
  if (process.arch !== "x64") return `virtual nodes are made for x86-64; this is ${process.arch}`;
  if (!existsSync("/dev/net/tun")) return "there is no /dev/net/tun: a virtual node cannot be plugged in";
  return null;
}
