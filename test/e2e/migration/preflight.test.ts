import { expect } from "chai";
import type Docker from "dockerode";
import { toContainerCreateOptions } from "../../../lab/workloads/container-spec.js";
import type { MigrationRecord } from "../../../platform/migration-record.js";
import { waitFor } from "../../support/wait-for.js";
import { FIRST, type MovingFleet, SECOND, startMovingFleet } from "../support/moving-fleet.js";
import { BASE, host, idle, NAME, OBSTACLES, SHARING, type Shell, started, withoutNetwork } from "../support/obstacles.js";
import { tracesOf } from "../support/traces.js";

/** Opens io_uring with 8 entries and keeps it; system call 425 on every architecture. */
const RING = [
  "import ctypes, time",
  "ring = ctypes.CDLL(None).syscall(425, 8, ctypes.create_string_buffer(120))",
  "print('ring', ring, flush=True)",
  "time.sleep(3600)",
].join("\n");

/** With a second name for runc, which stands in for another runtime. */
const DOCKER = { runtimes: { evenkeel: { path: "/opt/evenkeel/executor/shim/evenkeel-runtime" }, other: { path: "/usr/sbin/runc" } } };

/** Fills a System V segment of 80 MiB and keeps it. */
const SEGMENT = [
  "import ctypes, time",
  "libc = ctypes.CDLL(None)",
  "libc.shmat.restype, size = ctypes.c_void_p, 80 << 20",
  "ctypes.memset(libc.shmat(libc.shmget(1, size, 0o1600), None, 0), 1, size)",
  "print('full', flush=True)",
  "time.sleep(3600)",
].join("\n");

describe("A workload that cannot be moved", function () {
  this.timeout(600_000);
  let moving: MovingFleet;
  let first: Docker;
  let second: Docker;

  before(async () => {
    moving = await startMovingFleet("e2e-preflight", [{ ...BASE, name: "seed" }], { asked: [], docker: DOCKER });
    [first, second] = [moving.fleet.lab.node(FIRST).docker, moving.fleet.lab.node(SECOND).docker];
    // Only the image of it is wanted, on both nodes.
    await moving.moveWell("seed", FIRST, SECOND);
    await second.getContainer("seed").remove({ force: true });
  });

  after(async () => {
    expect(await moving?.close()).to.deep.equal([]);
  });

  const shell: Shell = async (node, script) => (await moving.fleet.lab.node(node).exec(["sh", "-c", script])).stdout;

  /** Asks for the move and checks that it is refused for this reason, with nothing of the container touched, on either node. */
  async function isRefused(container: Docker.Container, code: string, mode?: string): Promise<MigrationRecord> {
    const all = async (docker: Docker) => (await docker.listContainers({ all: true })).map(({ Id }) => Id).sort();
    const volumes = async (docker: Docker) => (await docker.listVolumes()).Volumes.map(({ Name }) => Name).sort();
    const look = async () => {
      const { State, HostConfig, RestartCount } = await container.inspect();
      return { State, HostConfig, RestartCount, second: await all(second), volumes: [await volumes(first), await volumes(second)] };
    };
    const before = await look();
    const record = await moving.move(NAME, FIRST, SECOND, mode);
    expect(record).to.include({ result: "failed", errorCode: "PREFLIGHT_BLOCKED", outcome: "aborted" });
    expect(record.errorMessage).to.include(`${code}: `);
    expect(record.timeline.map(({ stage }) => stage)).to.deep.equal(["queued", "preflight"]);
    expect(await look()).to.deep.equal(before);
    expect((await tracesOf(moving.fleet, NAME)).filter((line) => line.includes("/run/evenkeel"))).to.deep.equal([]);
    return record;
  }

  it("is left alone when another that stays has joined its IPC namespace, and told so: shared-namespace", async () => {
    const candidate = await first.createContainer(host({ ...SHARING, IpcMode: "shareable" })(toContainerCreateOptions(BASE)));
    await candidate.start();
    const undo = await started(first, idle("other", { HostConfig: { ...SHARING, NetworkMode: "none", IpcMode: `container:${NAME}` } }));
    try {
      const { errorMessage } = await isRefused(candidate, "shared-namespace");
      expect(errorMessage).to.include("It shares its IPC namespace with other, which does not move with it");
    } finally {
      await undo();
      await candidate.remove({ force: true });
    }
  });

  it("is left alone when others have more System V memory in its IPC namespace than it may have itself, and told so: shared-memory-large", async () => {
    const candidate = await first.createContainer(
      host({ ...SHARING, IpcMode: "shareable", Memory: 64 << 20 })(toContainerCreateOptions(BASE)),
    );
    await candidate.start();
    const joined = idle("other", { HostConfig: { ...SHARING, NetworkMode: "none", IpcMode: `container:${NAME}` } });
    const undo = await started(first, { ...joined, Cmd: ["python3", "-S", "-c", SEGMENT] });
    try {
      await waitFor("the segment", async () => (await first.getContainer("other").logs({ stdout: true })).includes("full"));
      expect((await isRefused(candidate, "shared-memory-large")).errorMessage).to.include("80 MiB, counts as its own");
    } finally {
      await undo();
      await candidate.remove({ force: true });
    }
  });

  it("is left alone when the one whose network it has joined has ended, and told so: shared-namespace", async () => {
    const undo = await started(first, idle("other", { HostConfig: { ...SHARING, NetworkMode: "none" } }));
    const joined = host({ ...SHARING, NetworkMode: "container:other" })(toContainerCreateOptions(BASE));
    const candidate = await first.createContainer(withoutNetwork(joined));
    try {
      await candidate.start();
      await first.getContainer("other").kill();
      expect((await isRefused(candidate, "shared-namespace")).errorMessage).to.include("other, which does not run");
    } finally {
      await candidate.remove({ force: true });
      await undo();
    }
  });

  for (const { title, code, container = (base: Docker.ContainerCreateOptions) => base, prepare } of OBSTACLES) {
    it(`is left alone when it ${title}, and told so: ${code}`, async () => {
      const undo = await prepare?.(first, second, shell);
      const candidate = await first.createContainer(container(toContainerCreateOptions(BASE)));
      try {
        await candidate.start();
        await isRefused(candidate, code);
      } finally {
        await candidate.remove({ force: true, v: true });
        for (const volume of ["shared-data", "taken-data"])
          await first
            .getVolume(volume)
            .remove({ force: true })
            .catch(() => {});
        await undo?.();
      }
    });
  }

  it("is left alone when it is paused, and told so: not-running", async () => {
    const candidate = await first.createContainer(toContainerCreateOptions(BASE));
    try {
      await candidate.start();
      await candidate.pause();
      await isRefused(candidate, "not-running");
    } finally {
      await candidate.remove({ force: true });
    }
  });

  it("is left alone while a `docker exec` is in it, and told so: exec-session", async () => {
    const candidate = await first.createContainer(toContainerCreateOptions(BASE));
    try {
      await candidate.start();
      const exec = await candidate.exec({ Cmd: ["python3", "-S", "-c", "import time; time.sleep(3600)"] });
      await exec.start({ Detach: true });
      await waitFor("the session to run", async () => (await exec.inspect()).Running);
      await isRefused(candidate, "exec-session");
    } finally {
      await candidate.remove({ force: true });
    }
  });

  it("is left alone when it has io_uring open, and told so: io-uring", async function () {
    const options = toContainerCreateOptions(BASE);
    // Docker's own profile forbids it; who uses it has lifted that.
    const candidate = await first.createContainer(
      host({ SecurityOpt: ["seccomp=unconfined"] })({ ...options, Cmd: ["python3", "-S", "-c", RING] }),
    );
    try {
      await candidate.start();
      const said = await waitFor("the ring", async () =>
        /ring (-?\d+)/.exec((await candidate.logs({ stdout: true, stderr: true })).toString()),
      );
      if (Number(said[1]) < 0) this.skip();
      await isRefused(candidate, "io-uring");
    } finally {
      await candidate.remove({ force: true });
    }
  });

  it("is left alone when its memory should follow it to a kernel without userfaultfd, and told so: memory-stays", async () => {
    const node = moving.fleet.lab.node(SECOND);
    const restart = async () => {
      await node.service("executor")!.kill("SIGTERM");
      await moving.startExecutor(SECOND);
    };
    // All nodes of the lab share one kernel: this one's CRIU says what it would say on another. It is asked once for each run of the executor.
    const script = '#!/bin/sh\ncase $* in "check --feature uffd"*) exit 1;; esac\nexec criu.real "$@"\n';
    await node.exec(["sh", "-c", "mv /usr/sbin/criu /usr/sbin/criu.real && cat >/usr/sbin/criu && chmod 755 /usr/sbin/criu"], {
      input: script,
    });
    const candidate = await first.createContainer(toContainerCreateOptions(BASE));
    try {
      await restart();
      await candidate.start();
      const { errorMessage } = await isRefused(candidate, "memory-stays", "postcopy");
      expect(errorMessage).to.include("on node2 its kernel does not let CRIU use userfaultfd");
    } finally {
      await candidate.remove({ force: true });
      await node.exec(["mv", "/usr/sbin/criu.real", "/usr/sbin/criu"]);
      await restart();
    }
  });

  it("is left alone when AppArmor confines it and the destination has none, and told so: differs-security", async function () {
    // Then the destination has it too.
    if ((await shell(FIRST, "cat /sys/module/apparmor/parameters/enabled 2>/dev/null || true")) === "Y") this.skip();
    const folder = "/sys/kernel/security";
    // No kernel of the lab has AppArmor. This folder stands in for it: by it Docker knows a kernel that has, and notes that the container is confined.
    await shell(
      FIRST,
      `mount -t tmpfs none ${folder} && mkdir ${folder}/apparmor && echo "docker-default (enforce)" >${folder}/apparmor/profiles`,
    );
    try {
      await moving.fleet.lab.node(FIRST).restartDocker();
      const candidate = await first.createContainer(toContainerCreateOptions(BASE));
      try {
        await candidate.start();
        expect((await isRefused(candidate, "differs-security")).errorMessage).to.include("It is confined by apparmor");
      } finally {
        await candidate.remove({ force: true });
      }
    } finally {
      await shell(FIRST, `umount ${folder}`);
      await moving.fleet.lab.node(FIRST).restartDocker();
    }
  });

  it("can be moved once nothing stands in the way", async () => {
    const candidate = await first.createContainer(toContainerCreateOptions(BASE));
    await candidate.start();
    await moving.moveWell(NAME, FIRST, SECOND);
    expect(await moving.fleet.whereIs(NAME)).to.equal(SECOND);
  });
});
