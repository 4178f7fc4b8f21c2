import { expect } from "chai";
import { isConfined } from "../../../lab/sysctls.js";
import { AWKWARD_PROGRAMS } from "../support/awkward-programs.js";
import { CANDIDATE, type Change, type ExaminedFleet, FIRST, SECOND, startExaminedFleet } from "../support/examined-fleet.js";

const host =
  (changes: object): Change =>
  (base) => ({ ...base, HostConfig: { ...base.HostConfig, ...changes } });
/** Docker's own profile forbids some of what the programs do; who does such things has lifted it. */
const FREE = { SecurityOpt: ["seccomp=unconfined"] };

const PROGRAMS: readonly { title: string; code: keyof typeof AWKWARD_PROGRAMS; change?: Change }[] = [
  { title: "has a kernel object open that CRIU does not know (userfaultfd)", code: "kernel-object", change: host(FREE) },
  { title: "watches a folder with inotify", code: "inotify" },
  { title: "has a large deleted file open", code: "deleted-file" },
  { title: "has an SQLite database open", code: "file-identity" },
  { title: "has processes in a pid namespace of their own", code: "nested-namespace", change: host({ ...FREE, CapAdd: ["SYS_ADMIN"] }) },
  { title: "has a process that is traced by another", code: "traced" },
  {
    title: "has a device of its host open",
    code: "device-open",
    change: host({ Devices: [{ PathOnHost: "/dev/fuse", PathInContainer: "/dev/fuse", CgroupPermissions: "rw" }] }),
  },
];

describe("Before a move, a workload is told that cannot be moved since it", function () {
  this.timeout(600_000);
  let examined: ExaminedFleet;

  before(async () => {
    examined = await startExaminedFleet("e2e-pf-process");
    await examined.fleet.runWorkload({ ...CANDIDATE, name: "seed" }, FIRST);
    await examined.first.getContainer("seed").remove({ force: true });
  });
  after(async () => {
    expect((await examined?.close()) ?? []).to.deep.equal([]);
  });

  it("… nothing, if it is as any other, or watches files where CRIU finds them again: then nothing is found", async () => {
    const change = host({ Mounts: [{ Type: "volume", Source: "watched-data", Target: "/data" }] });
    await examined.withCandidate({ program: AWKWARD_PROGRAMS.watching, change }, async () => {
      expect(await examined.blockers()).to.deep.equal([]);
    });
    await examined.first.getVolume("watched-data").remove();
  });

  it("… nothing either while its processes come and go all the time", async () => {
    await examined.withCandidate({ program: AWKWARD_PROGRAMS.busy }, async () => {
      for (let times = 0; times < 10; times++) expect(await examined.blockers()).to.deep.equal([]);
    });
  });

  it("has changed its network, as it may, in a way that nobody would repeat: network-changed", async () => {
    const change = host({ CapAdd: ["NET_ADMIN"] });
    await examined.withCandidate({ program: AWKWARD_PROGRAMS.busy, change }, async (container) => {
      expect(await examined.blockers(), "it has not").to.deep.equal([]);
      const { Pid } = (await container.inspect()).State;
      const inside = (command: string) => examined.shell(FIRST, `nsenter -t ${Pid} -n ${command}`);
      await inside("ip address add 10.77.0.222/32 dev eth0");
      await inside("nft add table inet own '{ chain in { type filter hook input priority 0; } ; }'");
      const { findings } = await examined.preflight();
      expect(findings.find(({ code }) => code === "network-changed")?.message).to.include(
        "address 10.77.0.222 on eth0, firewall table inet own",
      );
    });
  });

  for (const { title, code, change } of PROGRAMS) {
    it(`${title}: ${code}`, async function () {
      // A node's devices are its own; root of a user namespace may use this one only if everybody may.
      await examined.shell(FIRST, "chmod 666 /dev/fuse");
      const had = await examined.withCandidate({ program: AWKWARD_PROGRAMS[code], ...(change && { change }) }, async (container) => {
        const before = await container.inspect();
        expect(await examined.blockers()).to.include(code);
        expect(await container.inspect()).to.deep.equal(before);
      });
      if (!had) this.skip();
    });
  }

  it("is connected through a unix socket to a process outside: unix-socket-external", async () => {
    const { fleet, shell } = examined;
    await shell(FIRST, "mkdir -p /srv/shared && chmod 777 /srv/shared");
    const listener = await fleet.lab
      .node(FIRST)
      .spawn(["socat", "UNIX-LISTEN:/srv/shared/outside.sock,fork,mode=777", "PIPE"], { name: "outside" });
    try {
      await shell(FIRST, "until [ -S /srv/shared/outside.sock ]; do sleep 0.05; done");
      const had = await examined.withCandidate(
        { program: AWKWARD_PROGRAMS["unix-socket-external"], change: host({ Binds: ["/srv/shared:/host"] }) },
        async () => {
          expect(await examined.blockers()).to.include.members(["unix-socket-external", "bind-mount"]);
        },
      );
      expect(had).to.equal(true);
    } finally {
      await listener.kill();
    }
  });

  it("has a process in it that came from its host: stray-process", async () => {
    await examined.withCandidate({}, async (container) => {
      const { State } = await container.inspect();
      const stray = await examined.fleet.lab
        .node(FIRST)
        .spawn(["nsenter", "-t", String(State.Pid), "-p", "sleep", "3600"], { name: "stray" });
      expect(await examined.blockers()).to.include("stray-process");
      await stray.kill("SIGKILL");
    });
  });

  it("uses huge pages of which the destination has too few: huge-pages-short", async function () {
    const setting = "/proc/sys/vm/nr_hugepages";
    const before = await examined.shell(FIRST, `cat ${setting}`);
    // All nodes of the lab share one kernel: what this one uses the other does not have.
    await examined.shell(FIRST, `echo $((${before} + 2)) >${setting}`);
    try {
      const had = await examined.withCandidate({ program: AWKWARD_PROGRAMS["huge-pages-short"], change: host(FREE) }, async () => {
        expect(await examined.blockers()).to.include("huge-pages-short");
      });
      if (!had) this.skip();
    } finally {
      await examined.shell(FIRST, `echo ${before} >${setting}`);
    }
  });

  it("has a MAC address that another container there has: mac-taken", async () => {
    const { second } = examined;
    await examined.withCandidate({}, async (container) => {
      const image = await examined.first.getImage((await container.inspect()).Config.Image).get();
      await new Promise((done) => void second.loadImage(image).then((stream) => stream.on("end", done).resume()));
      const other = await second.createContainer({
        name: "other",
        Image: CANDIDATE.image,
        Cmd: ["python3", "-S", "-c", "import time; time.sleep(3600)"],
        HostConfig: { NetworkMode: "fleet" },
        NetworkingConfig: {
          EndpointsConfig: { fleet: { IPAMConfig: { IPv4Address: "10.77.0.160" }, MacAddress: CANDIDATE.macAddress } as never },
        },
      });
      try {
        await other.start();
        const found = await examined.blockers();
        expect(found).to.include("mac-taken").and.not.to.include("address-taken");
      } finally {
        await other.remove({ force: true });
      }
    });
  });

  for (const [title, subnet, code] of [
    ["has an address that the destination's network of that name does not have", "10.79.0.0/24", "network-differs"],
    ["is on a network that the destination does not have", null, "network-missing"],
  ] as const) {
    it(`${title}: ${code}`, async () => {
      const networkOn = async (node: string, its: string) => {
        await examined.shell(node, "ip link add pair0 type veth peer name pair1 && ip link set pair0 up && ip link set pair1 up");
        return examined.fleet.lab.node(node).docker.createNetwork({
          Name: "second-net",
          Driver: "macvlan",
          IPAM: { Config: [{ Subnet: its }] },
          Options: { parent: "pair0" },
        });
      };
      const made = [await networkOn(FIRST, "10.78.0.0/24"), ...(subnet === null ? [] : [await networkOn(SECOND, subnet)])];
      const change: Change = (base) => ({
        ...base,
        HostConfig: { ...base.HostConfig, NetworkMode: "second-net" },
        NetworkingConfig: { EndpointsConfig: { "second-net": { IPAMConfig: { IPv4Address: "10.78.0.9" } } } },
      });
      try {
        await examined.withCandidate({ change }, async () => {
          expect(await examined.blockers()).to.include(code);
        });
      } finally {
        for (const network of made) await network.remove();
        for (const node of [FIRST, SECOND]) await examined.shell(node, "ip link del pair0 2>/dev/null; true");
      }
    });
  }

  it("is covered by a path of /sys that the destination does not have: masked-path-missing", async () => {
    const { shell } = examined;
    // One kernel serves all nodes of the lab, so one that lacks the path is made by hiding it from the executor there.
    const name = (await shell(FIRST, "ls /sys/firmware /sys/kernel | grep -v : | tail -1")).trim();
    const folder = (await shell(FIRST, `dirname $(ls -d /sys/firmware/${name} /sys/kernel/${name} 2>/dev/null | head -1)`)).trim();
    await shell(SECOND, `mount -t tmpfs none ${folder}`);
    try {
      await examined.withCandidate({ change: host({ MaskedPaths: [`${folder}/${name}`], ReadonlyPaths: [] }) }, async () => {
        expect(await examined.blockers()).to.include("masked-path-missing");
      });
    } finally {
      await shell(SECOND, `umount ${folder}`);
    }
  });

  it("… nothing, if its label lets its connections be closed, but it is told that they will be: connections-closed", async () => {
    const change: Change = (base) => {
      const { NetworkingConfig: _, ...rest } = host({ NetworkMode: "bridge" })(base);
      return { ...rest, Labels: { ...base.Labels, "io.evenkeel.connections": "close" } };
    };
    await examined.withCandidate({ change }, async () => {
      const { findings } = await examined.preflight();
      expect(findings.map(({ severity, code }) => `${severity} ${code}`))
        .to.include("warn connections-closed")
        .and.to.satisfy((all: string[]) => all.every((each) => each.startsWith("warn ")));
    });
  });

  it("… nothing, if only the destination has a path of /sys that it should not see, but it is warned: path-unmasked", async () => {
    const { shell } = examined;
    // One kernel serves all nodes of the lab, so the executor there is shown a path that this kernel has not.
    await shell(SECOND, "mount -t tmpfs none /sys/firmware && mkdir /sys/firmware/secrets");
    try {
      await examined.withCandidate({ change: host({ MaskedPaths: ["/sys/firmware/secrets"], ReadonlyPaths: [] }) }, async () => {
        expect(await examined.blockers()).to.deep.equal([]);
        const { findings } = await examined.preflight();
        const found = findings.find(({ code }) => code === "path-unmasked");
        expect(found).to.include({ severity: "warn", message: "/sys/firmware/secrets would be seen by the container here" });
      });
    } finally {
      await shell(SECOND, "umount /sys/firmware");
    }
  });

  it("runs on an engine that is set up otherwise: differs-storageDriver, and the mapping of users where there is one", async () => {
    const { fleet, shell } = examined;
    const settings = await shell(SECOND, "cat /etc/docker/daemon.json");
    const { "userns-remap": _, ...others } = JSON.parse(settings) as Record<string, unknown>;
    await shell(SECOND, "cat >/etc/docker/daemon.json", JSON.stringify({ ...others, "storage-driver": "vfs" }));
    await fleet.lab.node(SECOND).restartDocker();
    try {
      await examined.withCandidate({}, async () => {
        const found = await examined.blockers();
        expect(found).to.include("differs-storageDriver");
        if (isConfined()) expect(found).to.include("differs-userNamespaces");
      });
    } finally {
      await shell(SECOND, "cat >/etc/docker/daemon.json", settings);
      await fleet.lab.node(SECOND).restartDocker();
    }
  });
});
