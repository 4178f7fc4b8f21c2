import { type LabWorkload, WORKLOADS } from "../../../lab/workloads/workload-table.js";

/**
 * Writes through a mapping all the time, which moves its file's time only once after each writeback; told to, by SIGUSR1, writes a last word and maps the file
 * no more.
 */
const PROGRAM = `
import mmap, os, signal, time

file = os.open("/data/short", os.O_RDWR | os.O_CREAT)
os.truncate(file, 4096)
mapped = mmap.mmap(file, 4096)
os.close(file)
isEnding = False

def end(*_):
    global isEnding
    isEnding = True

signal.signal(signal.SIGUSR1, end)
count = 0
while not isEnding:
    count += 1
    mapped[:8] = count.to_bytes(8, "little")
    time.sleep(0.002)
mapped[:8] = b"the last"
mapped.close()
print("ended", flush=True)
while True:
    time.sleep(3600)
`;

export const SHORT_MAPPING: LabWorkload = {
  ...WORKLOADS.find(({ name }) => name === "journal")!,
  name: "passer",
  command: ["python3", "-S", "-B", "-c", PROGRAM],
  address: "10.77.0.153",
  macAddress: "02:45:4b:00:00:99",
  volumes: [{ name: "passer-data", target: "/data" }],
};

/** An rsync that has the mapping end as soon as the first round has carried its file. */
export const rsyncThatEndsIt = (node: string) => {
  const docker = `docker --host unix:///shared/${node}/docker.sock`;
  return [
    'rsync.real "$@"; code=$?',
    'case "$*" in *peer/volume-0*) ;; *) exit $code ;; esac',
    "[ -e /run/ended ] && exit $code",
    `touch /run/ended; ${docker} kill -s USR1 ${SHORT_MAPPING.name}`,
    `until ${docker} logs ${SHORT_MAPPING.name} | grep -q ended; do sleep 0.05; done`,
    "exit $code",
  ].join("\n");
};
