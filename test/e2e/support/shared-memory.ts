import type Docker from "dockerode";
import type { LabNode } from "../../../lab/docker-host.js";
import type { Fleet } from "../../../lab/fleet/fleet.js";
import { toContainerCreateOptions } from "../../../lab/workloads/container-spec.js";
import { type LabWorkload, WORKLOADS } from "../../../lab/workloads/workload-table.js";
import { FIRST } from "./moving-fleet.js";

const PAIR = WORKLOADS.find(({ name }) => name === "pair")!;

/** Unread messages in a queue that nobody asks for. */
export const LETTERS = 3;
/** As the kernel counts: each process has the segment attached twice, once in three parts. */
export const ATTACHED_EACH = 4;

const BALLAST_BYTES = 64 << 20;

/**
 * One program for all that share: `keeper` makes everything and counts, the others ask it. For each request of a client one goes through a System V queue
 * to the keeper, which counts it in a System V segment and in a mapped file of /dev/shm, under a semaphore; whoever asked then reads both counts from what it
 * has mapped itself: the segment attached once more for reading alone, and with a page that it has protected. So an answer is right only as
 * long as all of that is shared, and nothing of it lost. Beside it a large segment, and one that is attached only while it is looked at.
 */
const PROGRAM = `
import ctypes, errno, mmap, os, struct, sys, threading, time
sys.path.insert(0, "/srv")
from line_server import flag, serve

KEY, PAGE, CREATE, READ_ONLY, SET, GET = 0x45564B, 4096, 0o3600, 0o10000, 16, 12
LETTERS, RESERVE = ${LETTERS}, 7
BALLAST = int(flag("ballast", "${BALLAST_BYTES}"))
index = int(flag("index", "0"))
libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_ssize_t
libc.shmat.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_int]
libc.shmdt.argtypes = [ctypes.c_void_p]
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]

class Message(ctypes.Structure):
    _fields_ = [("type", ctypes.c_long), ("slot", ctypes.c_long), ("reply", ctypes.c_long)]
SIZE = ctypes.sizeof(Message) - ctypes.sizeof(ctypes.c_long)

class Operation(ctypes.Structure):
    _fields_ = [("number", ctypes.c_ushort), ("by", ctypes.c_short), ("flags", ctypes.c_short)]

def call(function, *words):
    while True:
        result = function(*words)
        if result != -1:
            return result
        if ctypes.get_errno() != errno.EINTR:
            raise OSError(ctypes.get_errno(), function.__name__)

def send(queue, type, slot=0, reply=0):
    call(libc.msgsnd, queue, ctypes.byref(Message(type, slot, reply)), SIZE, 0)

def receive(queue, type):
    message = Message()
    call(libc.msgrcv, queue, ctypes.byref(message), SIZE, type, 0)
    return message

def attach(segment, flags=0):
    return call(libc.shmat, segment, None, flags)

def move_semaphore(by):
    call(libc.semop, semaphores, ctypes.byref(Operation(0, by, 0)), 1)

number_at = ctypes.c_uint64.from_address

if index == 0:
    # Made first, so that CRIU restores the others after it.
    ballast = attach(call(libc.shmget, KEY + 2, BALLAST, CREATE))
    ctypes.memset(ballast, 1, BALLAST)
    segment, attic = (call(libc.shmget, KEY + each, 4 * PAGE, CREATE) for each in (0, 1))
    queue, letters = (call(libc.msgget, KEY + each, CREATE) for each in (0, 1))
    board_file = os.open("/dev/shm/board", os.O_RDWR | os.O_CREAT | os.O_EXCL)
    os.ftruncate(board_file, 16 * PAGE)
    place = attach(attic)
    number_at(place).value = RESERVE
    call(libc.shmdt, place)
    for each in range(LETTERS):
        send(letters, each + 1)
    semaphores = call(libc.semget, KEY, 2, CREATE)
    call(libc.semctl, semaphores, 0, SET, 1)
    call(libc.semctl, semaphores, 1, SET, RESERVE)
else:
    while True:
        try:
            semaphores = call(libc.semget, KEY, 2, 0)
            if call(libc.semctl, semaphores, 1, GET) == RESERVE:
                break
        except OSError:
            pass
        time.sleep(0.05)
    segment, attic = (call(libc.shmget, KEY + each, 0, 0) for each in (0, 1))
    ballast = attach(call(libc.shmget, KEY + 2, 0, 0))
    queue = call(libc.msgget, KEY, 0)
    board_file = os.open("/dev/shm/board", os.O_RDWR)

own, seen = attach(segment), attach(segment, READ_ONLY)
call(libc.mprotect, own + 2 * PAGE, PAGE, mmap.PROT_READ)
board = mmap.mmap(board_file, 16 * PAGE)

def count():
    while True:
        message = receive(queue, 1)
        move_semaphore(-1)
        number_at(own + 8 * message.slot).value += 1
        on_board, = struct.unpack_from("Q", board, 8 * message.slot)
        struct.pack_into("Q", board, 8 * message.slot, on_board + 1)
        move_semaphore(1)
        send(queue, message.reply)

if index == 0:
    threading.Thread(target=count, daemon=True).start()

sessions = 0
def open_session():
    global sessions
    sessions += 1
    slot = 100 * index + sessions
    def answer(served, words):
        if words[0] != "pass":
            raise ValueError(words[0])
        send(queue, 1, slot, 1000 + slot)
        receive(queue, 1000 + slot)
        move_semaphore(-1)
        place = attach(attic, READ_ONLY)
        reserves = {number_at(place).value, call(libc.semctl, semaphores, 1, GET)}
        call(libc.shmdt, place)
        counts = number_at(seen + 8 * slot).value, *struct.unpack_from("Q", board, 8 * slot)
        move_semaphore(1)
        if reserves != {RESERVE} or number_at(ballast + 37 * PAGE * served % BALLAST).value != 0x0101010101010101:
            raise ValueError("reserve")
        return f"{served} {counts[0]} {counts[1]} {os.getpid()} {index}"
    return answer

serve(open_session)
`;

const sharer = (name: string, index: number): LabWorkload => ({
  ...PAIR,
  name,
  character: "counts in memory that several containers share",
  command: ["python3", "-S", "-B", "-c", PROGRAM, "--index", String(index), "--port", String(PAIR.port)],
  address: `10.77.0.${140 + index}`,
  macAddress: `02:45:4b:00:00:${(0x90 + index).toString(16)}`,
  sysctls: {},
  // CRIU restores under it: the others get ahead, and have to wait for the segments that they attach.
  cpuLimitCores: index === 0 ? 0.1 : 1,
  memoryLimitBytes: PAIR.memoryLimitBytes + BALLAST_BYTES,
});

/** Whose IPC namespace it is, and those that have joined it; each is on the network of the lab by itself. */
export const KEEPER = sharer("keeper", 0);
export const CLERKS = [sharer("clerk", 1), sharer("second-clerk", 2)] as const;

/** The network of a pod, whose keeper and clerk have joined it; the clerk has joined the keeper's IPC namespace. */
export const POD: LabWorkload = { ...PAIR, name: "pod", sysctls: {} };
const inPod = (workload: LabWorkload, port: number): LabWorkload => ({
  ...workload,
  name: `pod-${workload.name}`,
  command: workload.command.with(-1, String(port)),
  address: POD.address,
  macAddress: POD.macAddress,
  port,
});
export const POD_KEEPER = inPod(KEEPER, 7001);
export const POD_CLERK = inPod(CLERKS[0], 7002);

/** Starts a keeper and those that join it on the first node, which must have their image. */
export async function startSharers({ lab }: Fleet, keeper: LabWorkload, clerks: readonly LabWorkload[]): Promise<void> {
  const { docker } = lab.node(FIRST);
  await startSharing(docker, toContainerCreateOptions(keeper), { IpcMode: "shareable" });
  for (const each of clerks) await startSharing(docker, toContainerCreateOptions(each), { IpcMode: `container:${keeper.name}` });
}

export async function startPod({ lab }: Fleet): Promise<void> {
  const { docker } = lab.node(FIRST);
  await startSharing(docker, toContainerCreateOptions(POD), {});
  for (const [each, IpcMode] of [
    [POD_KEEPER, "shareable"],
    [POD_CLERK, `container:${POD_KEEPER.name}`],
  ] as const) {
    const { NetworkingConfig: _, ...options } = toContainerCreateOptions(each, `container:${POD.name}`);
    await startSharing(docker, options, { IpcMode });
  }
}

/** Under mapped user namespaces they would have to be restored into another's. */
export async function startSharing(docker: Docker, options: Docker.ContainerCreateOptions, how: Docker.HostConfig): Promise<void> {
  await (await docker.createContainer({ ...options, HostConfig: { ...options.HostConfig, UsernsMode: "host", ...how } })).start();
}

/** A keeper and a clerk for emulated nodes, whose link carries some MB a second. */
export const SMALL_SHARERS = [KEEPER, CLERKS[0]].map(
  (each): LabWorkload => ({ ...each, command: [...each.command, "--ballast", String(1 << 20)], cpuLimitCores: 1 }),
) as [LabWorkload, LabWorkload];

/** Opens a connection to one of them from within, and asks once. Returns the answer without its checksum. */
export async function askOnce(node: LabNode, { name, port }: LabWorkload): Promise<string> {
  const { State } = await node.docker.getContainer(name).inspect();
  const script = `exec 3<>/dev/tcp/127.0.0.1/${port} && echo "1 pass" >&3 && read -r answer <&3 && echo "\${answer% *}"`;
  return (await node.exec(["nsenter", "-t", String(State.Pid), "-n", "bash", "-c", script])).stdout.trim();
}
