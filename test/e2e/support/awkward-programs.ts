/** Programs that hold something which CRIU cannot carry to another host. Each prints `ready`, or `cannot: …`, once it has it. */
const START = "import ctypes, errno, mmap, os, socket, sys, time\nlibc = ctypes.CDLL(None, use_errno=True)\n";
const END = "\nprint('ready', flush=True)\ntime.sleep(3600)\n";

const program = (body: string) => `${START}
def check(result):
    if result < 0:
        print("cannot:", errno.errorcode.get(ctypes.get_errno(), "?"), flush=True)
        time.sleep(3600)
    return result
${body}${END}`;

/** x86-64 and arm64 number this call differently. */
const USERFAULTFD = "{'x86_64': 323, 'aarch64': 282}[os.uname().machine]";

export const AWKWARD_PROGRAMS = {
  "kernel-object": program(`check(libc.syscall(${USERFAULTFD}, os.O_CLOEXEC))`),
  // IN_MODIFY
  inotify: program("os.makedirs('/srv/watched')\nfd = check(libc.inotify_init())\ncheck(libc.inotify_add_watch(fd, b'/srv/watched', 2))"),
  // Where CRIU does find them again
  watching: program(
    "os.makedirs('/etc/watched')\nfd = check(libc.inotify_init())\nfor path in (b'/etc/watched', b'/data', b'/dev/shm', b'/'):\n    check(libc.inotify_add_watch(fd, path, 2))",
  ),
  // Processes that come and go all the time, some of them orphans
  busy: program(
    "import threading\ndef make():\n    while True:\n        if os.fork() == 0:\n            os.fork()\n            time.sleep(0.003)\n            os._exit(0)\n        for _ in range(2):\n            os.waitpid(-1, 0)\nfor _ in range(3):\n    threading.Thread(target=make, daemon=True).start()",
  ),
  "deleted-file": program("file = open('/srv/log', 'wb')\nfile.write(bytes(1024) * (80 << 10))\nfile.flush()\nos.unlink('/srv/log')"),
  // CLONE_NEWPID is for children
  "nested-namespace": program("check(libc.unshare(0x20000000))\nif os.fork() == 0:\n    time.sleep(3600)"),
  // PTRACE_TRACEME
  traced: program("if os.fork() == 0:\n    libc.ptrace(0, 0, None, None)\n    time.sleep(3600)\ntime.sleep(0.2)"),
  "device-open": program("fuse = os.open('/dev/fuse', os.O_RDWR)"),
  "unix-socket-external": program("outside = socket.socket(socket.AF_UNIX)\noutside.connect('/host/outside.sock')"),
  // MAP_HUGETLB; two pages of 2 MiB
  "huge-pages-short": program(
    "try:\n    pages = mmap.mmap(-1, 4 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40000)\n    pages[0] = pages[2 << 20] = 1\nexcept OSError:\n    print('cannot: huge pages', flush=True)",
  ),
  "file-identity": program(
    "import sqlite3\ndb = sqlite3.connect('/srv/shop.db')\ndb.execute('create table if not exists sold (item)')\ndb.commit()",
  ),
  "ipv6-missing": program("server = socket.create_server(('::', 7000), family=socket.AF_INET6, dualstack_ipv6=True)"),
  memory: program("held = b'x' * (600 << 20)"),
  "volume-data": program("open('/data/much', 'wb').write(bytes(1024) * (40 << 10))"),
} as const;
