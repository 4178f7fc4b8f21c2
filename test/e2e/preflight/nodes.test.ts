import { readdir } from "node:fs/promises";
import { expect } from "chai";
import { execa } from "execa";
import { executorReportSchema } from "../../../executor/protocol.js";
import { createFleetNetwork, FLEET_NETWORK } from "../../../lab/docker-host.js";
import { whyNoDebian } from "../../../lab/root-file-system.js";
import { addressOf, BRIDGE_OCTET, SUBNET } from "../../../lab/site.js";
import type { MigrationRecord } from "../../../platform/migration-record.js";
import type { DoctorAnswer } from "../../../scheduler/api-shapes.js";
import { waitFor } from "../../support/wait-for.js";
import { AWKWARD_PROGRAMS } from "../support/awkward-programs.js";
import { evenkeel } from "../support/command-line.js";
import { CANDIDATE, type Change, type ExaminedFleet, FIRST, SECOND, startExaminedFleet } from "../support/examined-fleet.js";
import { olderCriu } from "../support/older-criu.js";

const MIB = 2 ** 20;
const OLDER = "/opt/older-criu";
/** Adds an instruction to what CRIU wrote down of the CPU: the third word of its image, found by the tag of the field (6, a number). */
const RICHER_CPU = String.raw`
import sys
path = sys.argv[1]
data = bytearray(open(path, "rb").read())
words, at = [], data.index(b"\x30")
while data[at] == 0x30:
    end = at + 1
    while data[end] & 0x80:
        end += 1
    words.append((at + 1, end + 1))
    at = end + 1
# CPUID 1, ECX: a word that has no bit to spare is left out
start, end = words[4]
data[start:end] = b"\xff\xff\xff\xff\x0f"
data[8:12] = (len(data) - 12).to_bytes(4, "little")
open(path, "wb").write(data)
`;

describe("Before a move, it is told that a destination will not do since", function () {
  this.timeout(600_000);
  let examined: ExaminedFleet;

  before(async () => {
    examined = await startExaminedFleet("e2e-pf-nodes");
    await examined.fleet.runWorkload({ ...CANDIDATE, name: "seed" }, FIRST);
    await examined.first.getContainer("seed").remove({ force: true });
  });
  after(async () => {
    expect((await examined?.close()) ?? []).to.deep.equal([]);
  });

  const host =
    (changes: object): Change =>
    (base) => ({ ...base, HostConfig: { ...base.HostConfig, ...changes } });

  const obstacle = whyNoDebian();
  const criuOlder = "its CRIU is older, and a move there ends before anything is touched: criu-older";
  it(obstacle === null ? criuOlder : `${criuOlder} (skipped: ${obstacle})`, async function () {
    if (obstacle !== null) this.skip();
    const { fleet, shell } = examined;
    const folder = await olderCriu();
    await execa("cp", ["-a", folder, `${fleet.lab.sharedDirectory}/older-criu`]);
    await shell(SECOND, `cp -a /shared/older-criu ${OLDER}`);
    const libraries = (await readdir(`${folder}/usr/lib`)).find((name) => name.endsWith("-linux-gnu"));
    const start = `LD_LIBRARY_PATH=${OLDER}/usr/lib/${libraries} exec ${OLDER}/usr/sbin/criu "$@"`;
    await examined.withProgram(SECOND, "/usr/sbin/criu", start, () =>
      examined
        .withCandidate({}, async () => {
          expect((await shell(SECOND, "criu --version")).trim()).to.match(/^Version: 4\.1/);
          expect(await examined.blockers()).to.include("criu-older");
          const { answer } = await evenkeel<DoctorAnswer>(fleet, "doctor", "--json");
          const codes = answer.pairs.map(({ from, to, findings }) => [from, to, ...findings.map(({ code }) => code)]);
          // The other way round it is the newer one that reads what the older one wrote.
          expect(codes).to.deep.equal([
            [FIRST, SECOND, "criu-older"],
            [SECOND, FIRST],
          ]);
          const warned = answer.nodes.map(({ checks }) => checks.flatMap((check) => (check.status === "warn" ? [check.finding.code] : [])));
          expect(warned.map((of) => of.includes("criu-version"))).to.deep.equal([false, true]);
          const moved = await evenkeel<MigrationRecord>(fleet, "migrate", CANDIDATE.name, "--to", SECOND, "--wait", "--json");
          expect(moved.code).to.equal(1);
          expect(moved.answer).to.include({ result: "failed", errorCode: "PREFLIGHT_BLOCKED" });
          expect(moved.answer.blockers.map(({ code }) => code)).to.deep.equal(["criu-older"]);
          expect(moved.answer.timeline.map(({ stage }) => stage)).to.deep.equal(["queued", "preflight"]);
        })
        .then(() => undefined),
    );
  });

  it("its CPU lacks an instruction that the source has, by CRIU's own check: cpu-features", async () => {
    // All nodes of the lab share one CPU, so the source is given one with more: CRIU's word on it is changed as it is written.
    const script = `criu.real "$@" || exit $?\ncase $* in *cpuinfo\\ dump*) shift 3; python3 - "$1/cpuinfo.img" <<'END'\n${RICHER_CPU}END\n;; esac`;
    await examined.withProgram(FIRST, "/usr/sbin/criu", script, async () => {
      await examined.withCandidate({}, async () => {
        const { findings } = await examined.preflight();
        expect(findings.map(({ code }) => code)).to.include("cpu-features");
        expect(findings.find(({ code }) => code === "cpu-features")!.message).to.include("capabilities do not match");
        // Executors tell each other of their CPUs, so that a plan knows without asking.
        const { fleet } = examined;
        const report = async (node: string) =>
          executorReportSchema.parse(JSON.parse((await fleet.redis.hget(fleet.keys.executors, node))!));
        await waitFor(
          "the destination to have compared the CPUs",
          async () => (await report(SECOND)).refusedCpus?.includes((await report(FIRST)).cpuKind ?? ""),
          { deadlineSeconds: 120, everyMilliseconds: 500 },
        );
        const refused = await waitFor("the scheduler to know of it", async () => {
          const { out } = await evenkeel(fleet, "migrate", CANDIDATE.name, "--to", SECOND);
          return out.includes("cannot go on with what runs on that of node1") && out;
        });
        expect(refused).to.include("breaks a hard constraint");
      });
    });
  });

  it("… nothing, if CRIU cannot tell of the source's CPU, but it is warned: cpu-unchecked", async () => {
    // What it does on every CPU but those of x86-64.
    const script = 'case $* in cpuinfo*) echo "Error: no such thing for this CPU" >&2; exit 1;; esac\nexec criu.real "$@"';
    await examined.withProgram(FIRST, "/usr/sbin/criu", script, async () => {
      await examined.withCandidate({}, async () => {
        expect(await examined.blockers()).to.deep.equal([]);
        const { findings } = await examined.preflight();
        expect(findings.map(({ severity, code }) => `${severity} ${code}`)).to.include("warn cpu-unchecked");
      });
    });
  });

  it("its CRIU fails its own check: criu-broken", async () => {
    const script = 'case $* in check) echo "Error: no such kernel feature" >&2; exit 1;; esac\nexec criu.real "$@"';
    await examined.withProgram(SECOND, "/usr/sbin/criu", script, async () => {
      await examined.withCandidate({}, async () => {
        expect(await examined.blockers()).to.include("criu-broken");
      });
    });
  });

  it("its source has no CRIU: criu-missing", async () => {
    await examined.shell(FIRST, "mv /usr/sbin/criu /usr/sbin/criu.away");
    await examined.withCandidate({}, async () => {
      expect(await examined.blockers()).to.include("criu-missing");
    });
    await examined.shell(FIRST, "mv /usr/sbin/criu.away /usr/sbin/criu");
  });

  it("it has no runc: runc-missing", async () => {
    await examined.shell(SECOND, "mv /usr/sbin/runc /usr/sbin/runc.away");
    await examined.withCandidate({}, async () => {
      expect(await examined.blockers()).to.include("runc-missing");
    });
    await examined.shell(SECOND, "mv /usr/sbin/runc.away /usr/sbin/runc");
  });

  it("a program is missing there: tool-missing", async () => {
    await examined.shell(SECOND, "mv /usr/bin/rsync /usr/bin/rsync.away");
    await examined.withCandidate({}, async () => {
      expect(await examined.blockers()).to.include("tool-missing");
    });
    await examined.shell(SECOND, "mv /usr/bin/rsync.away /usr/bin/rsync");
  });

  it("an administrator's line in CRIU's configuration there would break it: criu-config", async () => {
    await examined.shell(SECOND, "echo leave-running >/etc/criu/default.conf");
    await examined.withCandidate({}, async () => {
      expect(await examined.blockers()).to.include("criu-config");
    });
    await examined.shell(SECOND, "rm /etc/criu/default.conf");
  });

  it("the runtime is missing there: runtime-missing", async () => {
    const { shell } = examined;
    const settings = await shell(SECOND, "cat /etc/docker/daemon.json");
    const { runtimes: _, "default-runtime": __, ...others } = JSON.parse(settings) as Record<string, unknown>;
    const reload = async (text: string) => {
      await shell(SECOND, "cat >/etc/docker/daemon.json", text);
      await examined.fleet.lab.node(SECOND).restartDocker();
    };
    await reload(JSON.stringify(others));
    await examined.withCandidate({}, async () => {
      expect(await examined.blockers()).to.include("runtime-missing");
    });
    await reload(settings);
  });

  /** Another network in the place of that one at the destination while `look` looks. */
  const withNetwork = async (pool: { Subnet?: string; Gateway?: string }, options: Record<string, string>, look: () => Promise<void>) => {
    const replace = async (make: () => Promise<unknown>) => {
      await examined.second.getNetwork(FLEET_NETWORK).remove();
      await make();
    };
    await replace(() =>
      examined.second.createNetwork({
        Name: FLEET_NETWORK,
        Driver: "macvlan",
        IPAM: { Config: [{ Subnet: SUBNET, Gateway: addressOf(BRIDGE_OCTET), ...pool }] },
        Options: { parent: "eth0", ...options },
      }),
    );
    await look().finally(() => replace(() => createFleetNetwork(examined.second)));
  };
  const message = async (code: string) => (await examined.preflight()).findings.find((each) => each.code === code)?.message;

  it("a network of that name has another gateway, subnet or MTU there: network-differs", async () => {
    await examined.withCandidate({}, async () => {
      expect(await examined.blockers()).to.deep.equal([]);
      await withNetwork({ Gateway: "10.77.0.250" }, {}, async () => {
        expect(await message("network-differs")).to.equal("fleet: its gateway is 10.77.0.254, and 10.77.0.250 here");
      });
      await withNetwork({ Subnet: "10.77.0.0/23" }, {}, async () => {
        expect(await message("network-differs")).to.include("24 bits, and is 10.77.0.0/23 here");
      });
      await withNetwork({}, { "com.docker.network.driver.mtu": "1400" }, async () => {
        expect(await message("network-differs")).to.equal("fleet: frames of 1500 bytes reach it, and of 1400 here (MTU)");
      });
    });
  });

  it("a network of that name ends in another segment there: segment-apart", async () => {
    await examined.shell(SECOND, "ip link add away0 type veth peer name away1 && ip link set away0 up && ip link set away1 up");
    try {
      await examined.withCandidate({}, () =>
        withNetwork({}, { parent: "away0" }, async () => {
          expect(await examined.blockers()).to.deep.equal(["segment-apart"]);
        }),
      );
    } finally {
      await examined.shell(SECOND, "ip link del away0");
    }
  });

  it("its port lets no MAC address pass but its own, as hypervisors do: segment-apart", async () => {
    const mac = (await examined.shell(SECOND, "cat /sys/class/net/eth0/address")).trim();
    const chain = "{ type filter hook egress device eth0 priority 0; }";
    const rules = `add table netdev port; add chain netdev port out ${chain}; add rule netdev port out ether saddr != ${mac} drop`;
    await examined.withCandidate({}, async () => {
      expect(await examined.blockers()).to.deep.equal([]);
      await examined.shell(SECOND, `nft '${rules}'`);
      try {
        expect(await examined.blockers()).to.deep.equal(["segment-apart"]);
        expect(await message("segment-apart")).to.include("but no other MAC address is");
      } finally {
        await examined.shell(SECOND, "nft delete table netdev port");
      }
    });
    expect(await examined.shell(SECOND, "ip -o link show type macvlan")).to.not.include("evenkeel");
  });

  it("the build of Docker's init there is another: init-differs", async () => {
    const path = (await examined.shell(SECOND, "readlink -f $(command -v docker-init)")).trim();
    await examined.withCandidate({ change: host({ Init: true }) }, async () => {
      expect(await examined.blockers()).to.deep.equal([]);
      await examined.withProgram(SECOND, path, "exit 1", async () => {
        expect(await examined.blockers()).to.deep.equal(["init-differs"]);
      });
    });
  });

  it("its kernel is set to allow less than it has: kernel-limit-short", async () => {
    // All nodes of the lab share one kernel: another's setting is put over this one's.
    const setting = "/proc/sys/vm/max_map_count";
    await examined.withCandidate({}, async () => {
      await examined.shell(SECOND, `echo 7 >/run/less && mount --bind /run/less ${setting}`);
      try {
        expect(await examined.blockers()).to.deep.equal(["kernel-limit-short"]);
        expect(await message("kernel-limits-lower")).to.match(/^vm.max_map_count is 7, not \d+$/);
      } finally {
        await examined.shell(SECOND, `umount ${setting}`);
      }
    });
  });

  it("its kernel was booted without IPv6, of which it has a socket: ipv6-missing", async () => {
    // All nodes of the lab share one kernel: what only one with IPv6 has is covered.
    const hidden = (look: () => Promise<void>) =>
      examined
        .shell(SECOND, "mount -t tmpfs none /proc/sys/net/ipv6")
        .then(look)
        .finally(() => examined.shell(SECOND, "umount /proc/sys/net/ipv6"));
    await examined.withCandidate({ program: AWKWARD_PROGRAMS.busy }, () =>
      hidden(async () => {
        expect(await examined.blockers()).to.deep.equal([]);
      }),
    );
    await examined.withCandidate({ program: AWKWARD_PROGRAMS["ipv6-missing"] }, () =>
      hidden(async () => {
        expect(await examined.blockers()).to.deep.equal(["ipv6-missing"]);
      }),
    );
  });

  it("its memory is too small: memory-short", async () => {
    const large = host({ Memory: 1024 * MIB, MemorySwap: 1024 * MIB });
    const had = await examined.withCandidate({ program: AWKWARD_PROGRAMS.memory, change: large }, async () => {
      await waitFor("its memory to be seen", async () => (await examined.blockers()).includes("memory-short"), { deadlineSeconds: 30 });
    });
    expect(had).to.equal(true);
  });

  it("its images do not fit where they pass through memory there: tmpfs-short", async () => {
    await examined.withCandidate({}, async () => {
      expect(await examined.blockers()).to.deep.equal([]);
      await examined.shell(SECOND, "mount -t tmpfs -o size=64k,mode=700 none /run/evenkeel");
      const found = await examined.blockers().finally(() => examined.shell(SECOND, "umount /run/evenkeel"));
      expect(found).to.include("tmpfs-short");
    });
  });

  it("its disk is too small for a volume: disk-short", async () => {
    const { shell } = examined;
    const change = host({ Mounts: [{ Type: "volume", Source: "much-data", Target: "/data" }] });
    try {
      const folder = `$(docker info -f '{{.DockerRootDir}}')/volumes`;
      const had = await examined.withCandidate({ program: AWKWARD_PROGRAMS["volume-data"], change }, async () => {
        await shell(SECOND, `mount -t tmpfs -o size=72m none ${folder}`);
        const found = await examined.blockers().finally(() => shell(SECOND, `umount ${folder}`));
        expect(found).to.include("disk-short");
        expect(await examined.blockers()).to.deep.equal([]);
      });
      expect(had).to.equal(true);
    } finally {
      await examined.first.getVolume("much-data").remove({ force: true });
    }
  });

  it("a volume is kept by a plugin, which no other node can read: volume-driver", async () => {
    const plugin = await examined.fleet.lab.node(FIRST).spawn(["python3", "-c", VOLUME_PLUGIN], { name: "plugin" });
    try {
      await examined.shell(FIRST, "until [ -S /run/docker/plugins/elsewhere.sock ]; do sleep 0.05; done");
      await examined.withCandidate(
        {
          change: host({
            Mounts: [{ Type: "volume", Source: "kept", Target: "/data", VolumeOptions: { DriverConfig: { Name: "elsewhere" } } }],
          }),
        },
        async () => {
          expect(await examined.blockers()).to.include("volume-driver");
        },
      );
      await examined.first.getVolume("kept").remove({ force: true });
    } finally {
      await plugin.kill();
    }
  });

  it("the image is on neither node: image-missing", async () => {
    const { fleet, first, shell } = examined;
    await examined.withCandidate({}, async (container) => {
      const { Id } = (await container.commit({ repo: "gone", tag: "1" })) as { Id: string };
      await container.remove({ force: true });
      await examined.withCandidate({ change: (base) => ({ ...base, Image: "gone:1" }) }, async () => {
        // Docker lets nobody remove the image of a container that runs; a disk that was repaired badly does.
        const root = "$(docker info -f '{{.DockerRootDir}}')/image/overlay2";
        await shell(FIRST, `rm -r ${root}/imagedb/content/sha256/${Id.replace("sha256:", "")}`);
        await fleet.lab.node(FIRST).restartDocker();
        await waitFor("it to run again", async () => (await first.getContainer(CANDIDATE.name).inspect()).State.Running, {
          deadlineSeconds: 30,
        });
        expect(await examined.blockers()).to.include("image-missing");
      });
    });
  });
});

/** A volume plugin of the kind that Docker finds by its socket. */
const VOLUME_PLUGIN = `
import http.server, json, os, socketserver
folder = "/srv/elsewhere"
os.makedirs(folder, exist_ok=True)
os.makedirs("/run/docker/plugins", exist_ok=True)
path = "/run/docker/plugins/elsewhere.sock"
if os.path.exists(path):
    os.unlink(path)
answers = {
    "/Plugin.Activate": {"Implements": ["VolumeDriver"]},
    "/VolumeDriver.Capabilities": {"Capabilities": {"Scope": "local"}},
    "/VolumeDriver.List": {"Volumes": [{"Name": "kept", "Mountpoint": folder}], "Err": ""},
    "/VolumeDriver.Get": {"Volume": {"Name": "kept", "Mountpoint": folder}, "Err": ""},
}
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def address_string(self):
        return "docker"
    def log_message(self, *_):
        pass
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = json.dumps(answers.get(self.path, {"Mountpoint": folder, "Err": ""})).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/vnd.docker.plugins.v1.1+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    pass
Server(path, Handler).serve_forever()
`;
