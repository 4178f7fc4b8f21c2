import { LABELS } from "../../../collector/protocol.js";
import { type LabWorkload, WORKLOADS } from "../../../lab/workloads/workload-table.js";

/** Makes files of every kind, then keeps changing some of them and notices by itself when one is not what it left. */
const PROGRAM = String.raw`
import fcntl, hashlib, mmap, os, shutil, socket, stat, time

def put(path, data):
    with open(path, "wb") as file:
        file.write(data)

os.makedirs("/data/deep/er")
os.mkdir("/data/empty")
os.chmod("/data/empty", 0o1777)
put("/data/plain", os.urandom(300_000))
put("/data/deep/er/one", b"1")
with open("/data/sparse", "wb") as file:
    file.truncate(512 << 20)
    file.seek(100 << 20)
    file.write(b"island")
os.link("/data/plain", "/data/deep/hard")
os.symlink("../nowhere/at all", "/data/dangling")
os.symlink("plain", "/data/link")
os.setxattr("/data/plain", "user.colour", b"blue\0green")
put("/data/two\nlines", b"newline")
put("/data/über 名前 ", b"letters")
put("/data/odd", b"y")
os.chown("/data/odd", 1234, 4321)
os.chmod("/data/odd", 0o4751)
os.utime("/data/odd", ns=(10**18 + 123456789, 10**18 + 987654321))

# The root file system: a new file, a changed one, deleted ones, and a folder of the image replaced by another of its name.
put("/etc/made-here", b"new")
put("/srv/burner.py", b"changed")
os.unlink("/srv/pair.py")
replaced = os.path.dirname(os.__file__) + "/wsgiref"
shutil.rmtree(replaced)
os.mkdir(replaced)
put(replaced + "/only", b"this")

os.makedirs("/dev/shm/tables")
put("/dev/shm/tables/one", os.urandom(1 << 20))
os.chmod("/dev/shm/tables/one", 0o640)

ghost = open("/data/ghost", "w+b")
ghost.write(b"deleted, yet open" * 1000)
ghost.flush()
os.unlink("/data/ghost")

# Bigger than CRIU takes along by itself (1 MiB), and of the root file system.
GHOST = os.urandom(1 << 20) * 8
big_ghost = open("/srv/ghost", "w+b")
big_ghost.write(GHOST)
big_ghost.flush()
os.unlink("/srv/ghost")

# Deleted under one name, there under another.
os.link("/data/plain", "/data/other-name")
renamed = open("/data/other-name", "rb")
os.unlink("/data/other-name")

fifos = []
for path in ("/data/pipe", "/srv/pipe"):
    if not os.path.exists(path):
        os.mkfifo(path)
    fifos.append(os.open(path, os.O_RDWR | os.O_NONBLOCK))
listening = socket.socket(socket.AF_UNIX)
listening.bind("/data/socket")
listening.listen()

os.makedirs("/outside/deep")
put("/outside/deep/one", os.urandom(200_000))
os.chown("/outside/deep/one", 77, 78)
outside = os.open("/outside/count", os.O_RDWR | os.O_CREAT, 0o600)

locked = open("/data/locked", "wb")
fcntl.flock(locked, fcntl.LOCK_EX)

put("/data/mapped", bytes(1 << 20))
os.link("/data/mapped", "/data/mapped-too")
mapped = mmap.mmap(os.open("/data/mapped", os.O_RDWR), 1 << 20)
shared_memory = mmap.mmap(os.open("/dev/shm/tables/one", os.O_RDWR), 1 << 20)
in_place = os.open("/data/in-place", os.O_RDWR | os.O_CREAT, 0o600)
grow = os.open("/data/grow", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
print("ready", flush=True)

count = 0
while True:
    word = count.to_bytes(8, "little")
    faults = []
    if count > 0 and mapped[:8] != word:
        faults.append(f"mapped file says {int.from_bytes(mapped[:8], 'little')}")
    with open("/data/mapped-too", "rb") as file:
        other_name = file.read(8)
    if count > 0 and other_name != word:
        faults.append(f"mapped file says {int.from_bytes(other_name, 'little')} under its other name")
    if count > 0 and shared_memory[:8] != word:
        faults.append(f"shared memory says {int.from_bytes(shared_memory[:8], 'little')}")
    if count > 0 and os.pread(in_place, 8, 0) != word:
        faults.append(f"file written in place says {int.from_bytes(os.pread(in_place, 8, 0), 'little')}")
    ghost.seek(0)
    if ghost.read() != b"deleted, yet open" * 1000:
        faults.append("the deleted file has changed")
    big_ghost.seek(0)
    if big_ghost.read() != GHOST:
        faults.append("the big deleted file has changed")
    renamed.seek(0)
    if len(renamed.read()) != 300_000:
        faults.append("the file deleted under one of its names has changed")
    for number, fifo in enumerate(fifos):
        if count > 0 and os.read(fifo, 100) != word:
            faults.append(f"fifo {number} has lost what was in it")
        os.write(fifo, (count + 1).to_bytes(8, "little"))
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect("/data/socket")
        heard, _ = listening.accept()
        caller.sendall(word)
        if heard.recv(8) != word:
            faults.append("the socket says something else")
        heard.close()
    if count > 0 and os.pread(outside, 8, 0) != word:
        faults.append("the file in the host's folder says something else")
    os.pwrite(outside, (count + 1).to_bytes(8, "little"), 0)
    for fault in faults:
        print(f"fault at {count}: {fault}", flush=True)
    count += 1
    word = count.to_bytes(8, "little")
    mapped[:8] = word
    shared_memory[:8] = word
    os.pwrite(in_place, word, 0)
    os.write(grow, b"%d\n" % count)
    put(f"/data/passing-{count}", b"short life")
    if count > 1:
        os.unlink(f"/data/passing-{count - 1}")
    print(count, flush=True)
    time.sleep(0.01)
`;

/** Of the host, and moving with the workload. */
export const KEPT_FOLDER = "/var/lib/keeper/outside";

export const FILE_KEEPER: LabWorkload = {
  ...WORKLOADS.find(({ name }) => name === "journal")!,
  name: "keeper",
  command: ["python3", "-S", "-B", "-c", PROGRAM],
  address: "10.77.0.151",
  macAddress: "02:45:4b:00:00:97",
  volumes: [{ name: "keeper-data", target: "/data" }],
  folders: [{ name: KEPT_FOLDER, target: "/outside" }],
  labels: { [LABELS.bindMounts]: KEPT_FOLDER },
};

/** Of the host, and moving with the guest. */
export const GUEST_FOLDER = "/var/lib/guest/spool";

/** Does nothing but mount a folder that moves with it. */
export const GUEST: LabWorkload = {
  ...FILE_KEEPER,
  name: "guest",
  command: ["python3", "-S", "-B", "-c", "import time; time.sleep(3600)"],
  address: "10.77.0.154",
  macAddress: "02:45:4b:00:00:9a",
  volumes: [],
  folders: [{ name: GUEST_FOLDER, target: "/guest" }],
  labels: { [LABELS.bindMounts]: GUEST_FOLDER },
};

/** Prints one line of JSON for each file below the folders given, with all that a copy must have alike. */
export const FINGERPRINT = `
import hashlib, json, os, stat, sys

# A copy of /dev/shm keeps the times of its folders to the second.
# CRIU makes a deleted file anew and deletes it again, which moves the time of its folder; a fifo's moves with each write.
CHANGING = {"/dev/shm/tables", "/data/grow", "/data/mapped", "/data/mapped-too", "/data/in-place", "/data", "/dev/shm/tables/one", "/data/socket", "/outside/count", "/srv", "/data/pipe", "/srv/pipe"}
known = {}
for top in sys.argv[1:]:
    for folder, folders, files in os.walk(top):
        folders.sort()
        for path in [folder, *(f"{folder}/{name}" for name in sorted(files))]:
            if os.path.ismount(path) and path not in ("/data", "/outside") or path.startswith("/data/passing-") or path in ("/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/etc/mtab"):
                continue
            seen = os.lstat(path)
            facts = {"path": path, "mode": oct(seen.st_mode), "owner": [seen.st_uid, seen.st_gid], "links": seen.st_nlink}
            facts["same as"] = known.setdefault(seen.st_ino, path) if stat.S_ISREG(seen.st_mode) else path
            if path not in CHANGING:
                facts["time"] = seen.st_mtime_ns
                facts["size"] = seen.st_size if stat.S_ISREG(seen.st_mode) else 0
            if stat.S_ISREG(seen.st_mode) and path not in CHANGING:
                facts["sparse"] = seen.st_blocks * 512 < seen.st_size // 2
                with open(path, "rb") as file:
                    facts["sha256"] = hashlib.file_digest(file, "sha256").hexdigest()
            if stat.S_ISLNK(seen.st_mode):
                facts["target"] = os.readlink(path)
            else:
                facts["attributes"] = {name: os.getxattr(path, name).hex() for name in sorted(os.listxattr(path))}
            print(json.dumps(facts))
`;
