import { setTimeout as pause } from "node:timers/promises";
import { expect } from "chai";
import { type LabContainer, WORKLOADS } from "../../../lab/workloads/workload-table.js";
import type { MigrationRecord } from "../../../platform/migration-record.js";
import { waitFor } from "../../support/wait-for.js";
import { FIRST, type MovingFleet, SECOND, startMovingFleet } from "../support/moving-fleet.js";
import { settledOn } from "../support/traces.js";

const CHECKS = "/srv/checks";
const MEBIBYTES = 48;
/** One of these looks at all that does not change. */
const CHECKS_A_ROUND = 10;
const MOST_MOVES = 12;
/** So that there is always something on its way. */
const SLOW_LINK = "100mbit";
const HABITS = {
  "gives it back": "madvise(page(number), PAGE, DONTNEED)",
  "unmaps it": "munmap(page(number), PAGE)",
  "moves some of it elsewhere and gives some back": "move(number) if number % 8 == 0 else madvise(page(number), PAGE, DONTNEED)",
  "gives it back, and has forked": "madvise(page(number), PAGE, DONTNEED)",
} as const;
type Habit = keyof typeof HABITS;

/**
 * Does that with one page in four of its memory (where it moves them, it moves two of eight), from the highest down, then makes all of it anew and begins again; and checks the rest all the time; with
 * a child, that does the same. Each page says which one it is.
 */
const program = (habit: Habit) => `
import ctypes, mmap, os, threading, time

PAGE, SIZE = 4096, ${MEBIBYTES} << 20
PAGES = SIZE // PAGE
PRIVATE, ANONYMOUS, READ_WRITE = 2, 32, 3
DONTNEED, MAYMOVE, FIXED = 4, 1, 2
libc = ctypes.CDLL(None, use_errno=True)
pointer, size = ctypes.c_void_p, ctypes.c_size_t

def call(name, result, *arguments):
    function = getattr(libc, name)
    function.restype, function.argtypes = result, arguments
    return function

map_memory = call("mmap", pointer, pointer, size, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long)
munmap = call("munmap", ctypes.c_int, pointer, size)
madvise = call("madvise", ctypes.c_int, pointer, size, ctypes.c_int)
mremap = call("mremap", pointer, pointer, size, size, ctypes.c_int, pointer)
memmove = call("memmove", pointer, pointer, pointer, size)
is_same = call("memcmp", ctypes.c_int, pointer, pointer, size)

page = lambda number: start + number * PAGE
contents = lambda number: number.to_bytes(8, "little") * (PAGE // 8)
start = moved_to = None
moved = []
lock = threading.Lock()

def make():
    global start, moved_to
    for at, length in [(start, SIZE), (moved_to, 3 * SIZE)]:
        if at is not None:
            munmap(at, length)
    # Above the other, as the kernel does it: the daemon begins below.
    moved_to = map_memory(None, 3 * SIZE, 0, PRIVATE | ANONYMOUS, -1, 0)
    start = map_memory(None, SIZE, READ_WRITE, PRIVATE | ANONYMOUS, -1, 0)
    moved.clear()
    for number in range(PAGES):
        memmove(page(number), contents(number), PAGE)

make()

def move(number):
    moved.append((mremap(page(number), 2 * PAGE, 2 * PAGE, MAYMOVE | FIXED, moved_to + 3 * PAGE * len(moved)), number))

def change():
    while True:
        for number in range(PAGES - 4, -1, -4):
            ${HABITS[habit]}
            time.sleep(0.0002)
        with lock:
            make()

def is_right(step):
    # These are never changed, and those were.
    held = all(is_same(page(number), contents(number), PAGE) == 0 for number in range(2, PAGES, step))
    return held and all(is_same(at, contents(number) + contents(number + 1), 2 * PAGE) == 0 for at, number in moved[-8:])

def check(file):
    out = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(out, b"began\\n")
    while True:
        # Mostly few of them: while a page comes that somebody waits for, the daemon orders no others.
        for step in [512] * ${CHECKS_A_ROUND - 1} + [4]:
            with lock:
                os.write(out, b"right\\n" if is_right(step) else b"wrong\\n")
            time.sleep(0.1)

if ${habit === "gives it back, and has forked" ? "True" : "False"} and os.fork() == 0:
    threading.Thread(target=change, daemon=True).start()
    check("${CHECKS}-child")
threading.Thread(target=change, daemon=True).start()
check("${CHECKS}")
`;

const HOLDERS = (Object.keys(HABITS) as Habit[]).map((habit, index): LabContainer & { habit: Habit } => ({
  ...WORKLOADS.find((workload) => workload.name === "rewriter")!,
  name: `holder-${index}`,
  command: ["python3", "-S", "-B", "-c", program(habit)],
  address: `10.77.0.${0xa4 + index}`,
  macAddress: `02:45:4b:00:00:${(0xa4 + index).toString(16)}`,
  memoryLimitBytes: 256 << 20,
  habit,
}));

const FORKED = HOLDERS.find(({ habit }) => habit === "gives it back, and has forked")!.name;

describe("Memory that follows", function () {
  this.timeout(600_000);
  let moving: MovingFleet;

  before(async () => {
    moving = await startMovingFleet("e2e-given-back", HOLDERS, { asked: [] });
  });
  after(async () => {
    expect(await moving?.close()).to.deep.equal([]);
  });

  const shell = async (at: string, script: string) => (await moving.fleet.lab.node(at).exec(["sh", "-c", script])).stdout.trim();

  /** `hasLost`: CRIU's daemon lost sight of pages. */
  async function moveOverSlowLink(name: string, from: string, to: string): Promise<{ record: MigrationRecord; hasLost: boolean }> {
    await shell(from, `tc qdisc add dev eth0 root tbf rate ${SLOW_LINK} burst 256kb latency 100ms`);
    try {
      let record: MigrationRecord | null = null;
      const closed = moving.closed(await moving.begin(name, from, to, "postcopy")).then((closed) => {
        record = closed;
      });
      let log = "";
      while (record === null) {
        log += await shell(to, "cat /run/evenkeel/in/*/page-proxy.log 2>/dev/null || true");
        await Promise.race([closed, pause(100)]);
      }
      return { record, hasLost: log.includes("lost sight") };
    } finally {
      await shell(from, "tc qdisc del dev eth0 root");
    }
  }

  async function checksOn(name: string, at: string): Promise<void> {
    const files = async () => (await shell(at, `docker exec ${name} sh -c 'ls ${CHECKS}* || true'`)).split("\n");
    const count = name === FORKED ? 2 : 1;
    for (const file of await waitFor(`${name} to check`, async () => (await files()).length === count && files())) {
      const checks = async () => (await shell(at, `docker exec ${name} cat ${file}`)).split("\n");
      const before = (await checks()).length;
      const now = await waitFor(`${name}'s memory to be checked`, async () => {
        const seen = await checks();
        return seen.length > before + CHECKS_A_ROUND && seen;
      });
      expect(now.filter((line) => line !== "right")).to.deep.equal(["began"]);
    }
  }

  for (const { name, habit } of HOLDERS) {
    it(`comes to the last page after a workload that ${habit} while CRIU's daemon has it on order`, async () => {
      let [from, to] = [FIRST, SECOND];
      await checksOn(name, from);
      for (let moves = 0, lost = 0; lost < 2; moves++) {
        expect(moves).to.be.below(MOST_MOVES, "CRIU's daemon has lost sight of hardly anything");
        const { record, hasLost } = await moveOverSlowLink(name, from, to);
        if (hasLost) lost++;
        expect(record, record.errorMessage ?? "").to.include({ result: "succeeded", modeUsed: "postcopy" });
        await settledOn(moving.fleet, name, to);
        await checksOn(name, to);
        [from, to] = [to, from];
      }
    });
  }
});
