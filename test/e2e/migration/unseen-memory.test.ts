import { release } from "node:os";
import { expect } from "chai";
import { parseSmaps } from "../../../executor/engine/docker/memory-maps.js";
import { type LabContainer, WORKLOADS } from "../../../lab/workloads/workload-table.js";
import type { MigrationRecord } from "../../../platform/migration-record.js";
import { waitFor } from "../../support/wait-for.js";
import { withProgram } from "../support/broken-program.js";
import { listenForStage } from "../support/moments.js";
import { FIRST, type MovingFleet, SECOND, startMovingFleet } from "../support/moving-fleet.js";
import { settledOn } from "../support/traces.js";

const CHECKS = "/srv/checks";
const MEBIBYTE = 1 << 20;
/** Of the striped memory; two of three mebibytes hold something, the third is only read. */
const STRIPED_MEBIBYTES = 48;
const MARKED_MEBIBYTES = 16;
const GUARDED_PAGE = 1024;
/** Since Linux 6.15 the kernel tells which pages are guarded, and those before know of none but for two that do not tell. */
const [major, minor] = release().split(".").map(Number) as [number, number];
const HAS_GUARDS = major > 6 || (major === 6 && minor >= 15);

/**
 * Holds memory that is not all the same, and checks it without an end: stripes with nothing between them, told to be read in a row; some that no child is to have and that
 * would be wiped for it; and some with a page in its middle that nobody may touch, where the kernel has such.
 * @param meanwhile `changes` makes new mappings all the time, `wavers` tells the kernel one thing and another
 */
const program = (meanwhile: "nothing" | "changes" | "wavers") => `
import mmap, os, threading, time, zlib

MEBIBYTE = 1 << 20
RANDOM, SEQUENTIAL, DONTFORK, DOFORK, WIPEONFORK, GUARD = 1, 2, 10, 11, 18, 102

def memory(mebibytes, *advice):
    made = mmap.mmap(-1, mebibytes * MEBIBYTE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for each in advice:
        made.madvise(each)
    return made

striped = memory(${STRIPED_MEBIBYTES}, SEQUENTIAL)
marked = memory(${MARKED_MEBIBYTES}, DONTFORK, WIPEONFORK)
for at in range(0, ${STRIPED_MEBIBYTES}, 3):
    striped[at * MEBIBYTE:(at + 2) * MEBIBYTE] = os.urandom(2 * MEBIBYTE)
marked[:] = os.urandom(${MARKED_MEBIBYTES} * MEBIBYTE)
guarded = memory(8, RANDOM)
guarded[:] = os.urandom(8 * MEBIBYTE)
try:
    guarded.madvise(GUARD, ${GUARDED_PAGE} * 4096, 4096)
except OSError:
    pass
def sums():
    return zlib.crc32(striped), zlib.crc32(marked), zlib.crc32(guarded[:4 * MEBIBYTE]), zlib.crc32(guarded[5 * MEBIBYTE:])
right = sums()

def nothing():
    pass

def wavers():
    while True:
        striped.madvise(DONTFORK)
        time.sleep(0.001)
        striped.madvise(DOFORK)
        time.sleep(0.001)

def changes():
    kept = []
    while True:
        kept.append(memory(8))
        kept[-1][:] = bytes(range(256)) * (8 * MEBIBYTE // 256)
        if len(kept) > 2:
            kept.pop(0).close()
        time.sleep(0.005)

threading.Thread(target=${meanwhile}, daemon=True).start()
out = os.open("${CHECKS}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
while True:
    os.write(out, b"right\\n" if sums() == right else b"wrong\\n")
    time.sleep(0.02)
`;

const holder = (name: string, meanwhile: Parameters<typeof program>[0], last: number): LabContainer => ({
  ...WORKLOADS.find((workload) => workload.name === "rewriter")!,
  name,
  command: ["python3", "-S", "-B", "-c", program(meanwhile)],
  address: `10.77.0.${last}`,
  macAddress: `02:45:4b:00:00:${last.toString(16)}`,
});

const STEADY = holder("steady", "nothing", 0xa0);
const BUSY = holder("busy", "changes", 0xa1);
const WAVERING = holder("wavering", "wavers", 0xa2);

/**
 * Has CRIU shown the memory of a process, which is told by `signals` to change it: the first before it is made ready, the second right before it is shown. Prints what becomes of it.
 * The process has 32 MiB; by USR1 no child is to have them, by USR2 it gets 8 MiB more, by TERM it ends.
 */
const SHOW = `
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { parseSmaps } from "/opt/evenkeel/dist/executor/engine/docker/memory-maps.js";
import { openMemoryView } from "/opt/evenkeel/dist/executor/engine/docker/memory-view.js";
const folder = "/run/test-view";
const program = \`
import mmap, os, signal
held = [mmap.mmap(-1, 32 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)]
held[0][:] = os.urandom(32 << 20)
signal.signal(signal.SIGUSR1, lambda *_: held[0].madvise(10))
def more(*_):
    held.append(mmap.mmap(-1, 8 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
    held[-1].madvise(2)
    held[-1][:] = os.urandom(8 << 20)
signal.signal(signal.SIGUSR2, more)
print("ready", flush=True)
while True:
    signal.pause()
\`;
const child = spawn("python3", ["-S", "-B", "-c", program], { stdio: ["ignore", "pipe", "inherit"] });
process.once("exit", () => child.kill("SIGKILL"));
await new Promise((resolve) => child.stdout.once("data", resolve));
const [before, late] = process.argv.slice(1);
const tell = async (signal) => {
  if (signal === "none") return;
  process.kill(child.pid, signal);
  await pause(500);
};
await tell(before);
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder + "/images", { recursive: true });
writeFileSync(folder + "/images/mountpoints-1.img", "");
const view = await openMemoryView(folder, child.pid);
await tell(late);
view.show();
const shown = readFileSync(folder + "/view/" + child.pid, "utf8");
const mappings = [...parseSmaps(shown).values()];
// The C library has a page of its own that the kernel may drop.
const droppable = mappings.filter(({ start, end, flags }) => flags.includes("dp") && end - start > 4096);
console.log("mappings " + mappings.length + " droppable " + droppable.length);
console.log(await view.confirm(folder + "/images", () => false).then(() => "confirmed", (error) => error.code + " " + error.detail));
process.exit();
`;

describe("Memory that CRIU is not shown", function () {
  this.timeout(600_000);
  let moving: MovingFleet;

  before(async () => {
    moving = await startMovingFleet("e2e-unseen", [STEADY, BUSY, WAVERING], { asked: [] });
  });
  after(async () => {
    expect(await moving?.close()).to.deep.equal([]);
  });

  const node = (name: string) => moving.fleet.lab.node(name);
  const shell = async (at: string, script: string) => (await node(at).exec(["sh", "-c", script])).stdout.trim();

  /** What CRIU has looked at of the memory of the move in hand. */
  async function seenBytes(from: string): Promise<number> {
    const log = await shell(from, "cat /run/evenkeel/out/*/work/dump.log");
    return [...log.matchAll(/Pagemap generated: (\d+) pages/g)].reduce((sum, [, pages]) => sum + Number(pages) * 4096, 0);
  }

  async function checksOn(name: string, at: string): Promise<void> {
    const checks = async () => (await shell(at, `docker exec ${name} cat ${CHECKS} || true`)).split("\n");
    const before = (await checks()).length;
    const now = await waitFor("its memory to be checked", async () => {
      const seen = await checks();
      return seen.length > before + 3 && seen;
    });
    expect(now.filter((line) => line !== "right")).to.deep.equal([]);
  }

  /** Which pages of a mapping are guarded, by the kernel's page tables. */
  async function guardsOf(pid: string, { start, end }: { start: number; end: number }, at: string): Promise<number[]> {
    const script = `import sys; tables = open("/proc/${pid}/pagemap", "rb"); tables.seek(${start / 512}); read = tables.read(${(end - start) / 512}); print([at // 8 for at in range(0, len(read), 8) if read[at + 7] & 4])`;
    return JSON.parse((await node(at).exec(["python3", "-c", script])).stdout) as number[];
  }

  async function mappingsOf(name: string, at: string) {
    const pid = await shell(at, `docker inspect --format '{{.State.Pid}}' ${name}`);
    const mappings = [...parseSmaps(await shell(at, `cat /proc/${pid}/smaps`)).values()];
    return {
      striped: mappings.find(({ flags }) => flags.includes("sr")),
      marked: mappings.find(({ flags }) => flags.includes("wf")),
      guards: await guardsOf(pid, mappings.find(({ flags }) => flags.includes("rr"))!, at),
    };
  }

  for (const [{ name }, what] of [
    [STEADY, "whose mappings stay as they are"],
    [BUSY, "which makes mappings all the time"],
  ] as const) {
    it(`comes after a workload ${what}, with its gaps and what the kernel was told of it, there and back`, async () => {
      const guards = HAS_GUARDS ? [GUARDED_PAGE] : [];
      expect((await mappingsOf(name, FIRST)).guards).to.deep.equal(guards);
      for (const [from, to] of [
        [FIRST, SECOND],
        [SECOND, FIRST],
      ] as const) {
        await checksOn(name, from);
        const moment = await listenForStage(moving.fleet, "resume");
        const id = await moving.begin(name, from, to, "postcopy");
        await moment.reached;
        moment.close();
        const seen = await seenBytes(from);
        const record = await moving.closed(id);
        expect(record, record.errorMessage ?? "").to.include({ result: "succeeded", modeUsed: "postcopy" });
        // All that CRIU has looked at is less than what it was not shown.
        expect(seen).to.be.within(1, MARKED_MEBIBYTES * MEBIBYTE);
        expect(record.bytes["pages"]).to.be.greaterThan((MARKED_MEBIBYTES + (STRIPED_MEBIBYTES * 2) / 3 - 8) * MEBIBYTE);
        await settledOn(moving.fleet, name, to);
        await checksOn(name, to);
        const { striped, marked, ...now } = await mappingsOf(name, to);
        expect(now.guards).to.deep.equal(guards);
        expect(striped?.heldBytes).to.equal(((STRIPED_MEBIBYTES * 2) / 3) * MEBIBYTE);
        expect(marked).to.include({ heldBytes: MARKED_MEBIBYTES * MEBIBYTE });
        expect(marked!.flags).to.include("dc");
        expect([...striped!.flags, ...marked!.flags]).to.not.include("dp");
      }
    });
  }

  it("does not come where the kernel was told otherwise right before the freeze, and the workload goes on", async () => {
    let failed: MigrationRecord | null = null;
    let at: string = FIRST;
    // The kernel is told one thing as long as the other.
    for (let tries = 0; failed === null && tries < 10; tries++) {
      const to = at === FIRST ? SECOND : FIRST;
      const record = await moving.move(WAVERING.name, at, to, "postcopy");
      if (record.result === "succeeded") at = to;
      else failed = record;
      await settledOn(moving.fleet, WAVERING.name, at);
      await checksOn(WAVERING.name, at);
    }
    expect(failed).to.include({ result: "failed", errorCode: "CHECKPOINT_FAILED", outcome: "aborted" });
    expect(failed!.errorMessage).to.include("changed how it behaves right before the freeze");
  });

  it("is dumped as ever where CRIU cannot be shown anything else", async () => {
    const unshare = (await shell(FIRST, "command -v unshare")).trim();
    const record = await withProgram(node(FIRST), unshare, "exit 1", async () => {
      const moment = await listenForStage(moving.fleet, "resume");
      const id = await moving.begin(STEADY.name, FIRST, SECOND, "postcopy");
      await moment.reached;
      moment.close();
      expect(await seenBytes(FIRST)).to.be.greaterThan((STRIPED_MEBIBYTES / 2) * MEBIBYTE);
      return moving.closed(id);
    });
    expect(record, record.errorMessage ?? "").to.include({ result: "succeeded", modeUsed: "postcopy" });
    await settledOn(moving.fleet, STEADY.name, SECOND);
    await checksOn(STEADY.name, SECOND);
  });

  describe("is shown as", () => {
    const show = async (...signals: string[]) =>
      (await node(FIRST).exec(["node", "--input-type=module", "-e", SHOW, ...signals])).stdout.trim().split("\n");

    it("it was a moment ago, and confirmed when it is so still", async () => {
      const [shown, confirmed] = await show("SIGUSR1", "none");
      expect(shown).to.match(/^mappings \d\d+ droppable 1$/);
      expect(confirmed).to.equal("confirmed");
    });

    it("it was a moment ago, and refused when the kernel was told otherwise since", async () => {
      const [shown, confirmed] = await show("none", "SIGUSR1");
      expect(shown).to.match(/^mappings \d\d+ droppable 1$/);
      expect(confirmed).to.match(/^CHECKPOINT_FAILED .*changed how it behaves right before the freeze: [0-9a-f]+-/);
    });

    it("the kernel has it now where there is a new mapping", async () => {
      const [shown, confirmed] = await show("none", "SIGUSR2");
      expect(shown).to.match(/^mappings \d\d+ droppable 2$/);
      expect(confirmed).to.equal("confirmed");
    });

    it("nothing where its process has ended", async () => {
      expect(await show("none", "SIGTERM")).to.deep.equal(["mappings 0 droppable 0", "confirmed"]);
    });
  });
});
