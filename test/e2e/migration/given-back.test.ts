import { setTimeout as pause } from "node:timers/promises";
import { expect } from "chai";
import { type LabContainer, WORKLOADS } from "../../../lab/workloads/workload-table.js";
import type { MigrationRecord } from "../../../platform/migration-record.js";
import { waitFor } from "../../support/wait-for.js";
import { FIRST, type MovingFleet, SECOND, startMovingFleet } from "../support/moving-fleet.js";
import { settledOn } from "../support/traces.js";

const CHECKS = "/srv/checks";
/** Longer than it is ever kept from running otherwise. */
const FROZEN_SECONDS = 0.2;
/** One of these looks at all that does not change. */
const CHECKS_A_ROUND = 10;
const MOST_MOVES = 12;
/** So that there is always something on its way. */
const SLOW_LINK = "100mbit";
/** With one page in four of its memory (where it moves them, two of eight), from the highest down; then it makes all of it anew and begins again. */
const ALL_THE_TIME = {
  "gives it back": "madvise(page(number), PAGE, DONTNEED)",
  "unmaps it": "munmap(page(number), PAGE)",
  "moves some of it elsewhere and gives some back": "move(number) if number % 8 == 0 else madvise(page(number), PAGE, DONTNEED)",
  "gives it back, and has forked": "madvise(page(number), PAGE, DONTNEED)",
} as const;
const FORKS = "gives it back, and has forked";
const habits = Object.entries(ALL_THE_TIME).map(([habit, action]) => ({ habit, change: "change_all_the_time", action, mebibytes: 48 }));
/** An order that crosses from one mapping to another is refused by the kernel (ENOENT), as often as it is repeated. */
const PROTECTS = { habit: "protects parts of it as soon as it goes on", change: "change_when_it_goes_on", action: "pass", mebibytes: 192 };
type Habit = typeof PROTECTS;

/** Does that, and checks the rest of its memory all the time; with a child, that does the same. Each page says which one it is. */
const program = ({ habit, change, action, mebibytes }: Habit) => `
import ctypes, mmap, os, threading, time

PAGE, SIZE = 4096, ${mebibytes} << 20
PAGES = SIZE // PAGE
PRIVATE, ANONYMOUS, READ, READ_WRITE = 2, 32, 1, 3
DONTNEED, MAYMOVE, FIXED = 4, 1, 2
libc = ctypes.CDLL(None, use_errno=True)
pointer, size = ctypes.c_void_p, ctypes.c_size_t

def call(name, result, *arguments):
    function = getattr(libc, name)
    function.restype, function.argtypes = result, arguments
    return function

map_memory = call("mmap", pointer, pointer, size, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long)
mprotect = call("mprotect", ctypes.c_int, pointer, size, ctypes.c_int)
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

def change_when_it_goes_on():
    is_protected = False
    while True:
        before = time.monotonic()
        time.sleep(0.001)
        if time.monotonic() - before < ${FROZEN_SECONDS}:
            continue
        # Every other time: it is one mapping again then.
        if is_protected:
            mprotect(start, SIZE, READ_WRITE)
        else:
            for number in range(1, PAGES, 64):
                mprotect(page(number), PAGE, READ)
        is_protected = not is_protected

def change_all_the_time():
    while True:
        for number in range(PAGES - 4, -1, -4):
            ${action}
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

if ${habit === FORKS ? "True" : "False"} and os.fork() == 0:
    threading.Thread(target=${change}, daemon=True).start()
    check("${CHECKS}-child")
threading.Thread(target=${change}, daemon=True).start()
check("${CHECKS}")
`;

const HOLDERS = [...habits, PROTECTS].map((habit, index): LabContainer & { habit: string } => ({
  ...WORKLOADS.find((workload) => workload.name === "rewriter")!,
  name: `holder-${index}`,
  command: ["python3", "-S", "-B", "-c", program(habit)],
  address: `10.77.0.${0xa4 + index}`,
  macAddress: `02:45:4b:00:00:${(0xa4 + index).toString(16)}`,
  memoryLimitBytes: 512 << 20,
  habit: habit.habit,
}));
const nameOf = (wanted: string) => HOLDERS.find(({ habit }) => habit === wanted)!.name;
const [FORKED, PROTECTOR] = [nameOf(FORKS), nameOf(PROTECTS.habit)];

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
  async function watchMove(name: string, from: string, to: string, mode: string): Promise<{ record: MigrationRecord; hasLost: boolean }> {
    let record: MigrationRecord | null = null;
    const closed = moving.closed(await moving.begin(name, from, to, mode)).then((closed) => {
      record = closed;
    });
    let log = "";
    while (record === null) {
      log += await shell(to, "cat /run/evenkeel/in/*/page-proxy.log /run/evenkeel/in/*/image-feeder.log 2>/dev/null || true");
      await Promise.race([closed, pause(100)]);
    }
    return { record, hasLost: log.includes("lost sight") };
  }

  async function watchMoveOverSlowLink(...move: Parameters<typeof watchMove>): ReturnType<typeof watchMove> {
    const from = move[1];
    await shell(from, `tc qdisc add dev eth0 root tbf rate ${SLOW_LINK} burst 256kb latency 100ms`);
    try {
      return await watchMove(...move);
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

  /** To and fro until its memory has come twice although the daemon lost sight of some. */
  async function moveUntilLost(name: string, mode: string, move: typeof watchMove): Promise<void> {
    let [from, to] = [FIRST, SECOND];
    await checksOn(name, from);
    for (let moves = 0, lost = 0; lost < 2; moves++) {
      expect(moves).to.be.below(MOST_MOVES, "CRIU's daemon has lost sight of hardly anything");
      const { record, hasLost } = await move(name, from, to, mode);
      if (hasLost) lost++;
      expect(record, record.errorMessage ?? "").to.include({ result: "succeeded", modeUsed: mode });
      await settledOn(moving.fleet, name, to);
      await checksOn(name, to);
      [from, to] = [to, from];
    }
  }

  for (const { name, habit } of HOLDERS.filter(({ name }) => name !== PROTECTOR)) {
    it(`comes to the last page after a workload that ${habit} while CRIU's daemon has it on order`, async () => {
      await moveUntilLost(name, "postcopy", watchMoveOverSlowLink);
    });
  }

  it(`comes from the images to the last page after a workload that ${PROTECTS.habit}`, async () => {
    await moveUntilLost(PROTECTOR, "stopcopy", watchMove);
  });
});
