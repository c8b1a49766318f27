import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type OciUnpackEvent, type UnpackOptions, unpack } from "../../src/index.ts";
import { ordinaryUser, program } from "../hostile/as-user.ts";
import { type Outcome, outcomeOf } from "../support/command.ts";
import type { Image } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { repositoryFile } from "../support/repository.ts";
import { busyboxImage, debianImage, type Execution } from "../support/runnable-images.ts";
import { type Scratch, scratch } from "../support/scratch.ts";
import { symlink } from "../support/tar-builder.ts";
import { skipUnlessMounting, skipWithout } from "../support/tools.ts";

// Bundles are started by the runtimes that they are made for. What the container says of itself is what counts.

const skip = skipUnlessMounting("runc", "busybox");
const withCrun = skip || skipWithout("crun");

const asApp: Execution = {
  User: "app",
  Env: ["PATH=/bin:/usr/bin", "GREETING=hello world"],
  WorkingDir: "/home/app",
  Entrypoint: ["/bin/sh", "-c"],
  Cmd: ["id; pwd; echo $GREETING; echo $HOME; hostname; grep Cap /proc/self/status"],
};

const saidByApp = [
  "uid=1000(app) gid=1001(app) groups=29(audio)",
  "/home/app",
  "hello world",
  "/home/app",
  "oci-unpack",
  "CapInh:\t0000000000000000",
  "CapPrm:\t0000000000000000",
  "CapEff:\t0000000000000000",
  "CapBnd:\t0000000020000420",
  "CapAmb:\t0000000000000000",
];

describe("runc runs a bundle", { skip }, () => {
  test("as the image's user, with its environment, in its directory, and without capabilities", async () => {
    await using place = await bundleOf(busyboxImage(asApp));
    const { stdout, stderr, status } = await runc(place);
    assert.deepEqual([status, stderr, linesIn(stdout)], [0, "", saidByApp]);
  });

  test("and passes on how it ended", async () => {
    await using place = await bundleOf(busyboxImage({ Cmd: ["/bin/sh", "-c", "exit 42"] }));
    assert.equal((await runc(place)).status, 42);
  });

  test("whose image names users and groups by number, or in other words than its own", async () => {
    for (const [User, wanted] of [
      ["1234:5678", "uid=1234 gid=5678"],
      ["app:audio", "uid=1000(app) gid=29(audio)"],
      ["", "uid=0(root) gid=0(root)"],
    ] as const) {
      await using place = await bundleOf(busyboxImage({ User, Cmd: ["/bin/id"] }));
      assert.equal(linesIn((await runc(place)).stdout)[0]?.replace(/ groups=0\(root\)$/, ""), wanted);
    }
  });

  test("with the last value of each variable, and without what is none", async () => {
    const Env = ["PATH=/nowhere", "NONE", "TERM", "A=1", "PATH=/bin", "A=2=3", "EMPTY="];
    await using place = await bundleOf(busyboxImage({ Env, Cmd: ["/bin/env"] }));
    const expected = ["A=2=3", "EMPTY=", "HOME=/root", "PATH=/bin", "TERM=xterm"];
    assert.deepEqual(linesIn((await runc(place)).stdout).toSorted(), expected);
  });

  test("in which volumes can be written, and a directory that is missing is the working directory", async () => {
    const Cmd = ["/bin/sh", "-c", "touch /data/new /lib/of/new && ls /data /lib/of && pwd"];
    const Volumes = { "/data": {}, "lib/of": {} };
    await using place = await bundleOf(busyboxImage({ Cmd, Volumes, WorkingDir: "srv/made/here" }));
    const { stdout, stderr } = await runc(place);
    assert.equal(stderr, "");
    assert.deepEqual(linesIn(stdout), ["/data:", "new", "", "/lib/of:", "new", "/srv/made/here"]);
    assert.ok(!existsSync(join(place.bundle, "rootfs/data/new")), "a volume is not the image");
  });

  test("of Debian", async () => {
    const Cmd = ["bash", "-c", "id -un; cat /etc/debian_version; echo $BASH"];
    await using place = await bundleOf(debianImage({ User: "app", Cmd, Env: ["PATH=/usr/bin:/bin"] }));
    const { stdout, stderr } = await runc(place);
    const version = (await readFile("/etc/debian_version", "utf8")).trim();
    assert.deepEqual([stderr, linesIn(stdout)], ["", ["app", version, "/usr/bin/bash"]]);
  });

  for (const { name, transport, args, wanted } of fixtures()) {
    test(`of ${name}`, async () => {
      await using place = await scratch();
      const bundle = join(place.directory, "bundle");
      const archive = fileURLToPath(repositoryFile(`../shared/fixtures/images/${name}`));
      await unpack(`${transport}:${archive}`, bundle, { bundle: true, platform: "linux/amd64" });
      const path = join(bundle, "config.json");
      const config = JSON.parse(await readFile(path, "utf8"));
      await writeFile(path, JSON.stringify({ ...config, process: { ...config.process, args } }));
      const { stdout, stderr } = await runc({ directory: place.directory, bundle });
      assert.equal(stderr, "");
      assert.match(stdout, wanted);
    });
  }

  test("for an ordinary user, as that user", { skip: skipWithout("setpriv") }, async () => {
    await using place = await scratch();
    const command = program();
    await chmod(place.directory, 0o777);
    const layout = join(place.directory, "layout");
    const bundle = join(place.directory, "bundle");
    await writeImageLayout(layout, [{ tag: "1", images: [busyboxImage({ Cmd: ["/bin/id", "-u"] })] }]);
    const args = ["-q", "-p", "linux/amd64", "--bundle", "--rootless", `oci:${layout}:1`, bundle];
    assert.deepEqual((await command.run(ordinaryUser, args, place.directory)).stderr, "");
    const { uid, gid } = ordinaryUser;
    const started = ["runc", "--root", join(place.directory, "runc"), "run", "--bundle", bundle, "rootless"];
    const setpriv = [`--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", "--", ...started];
    const { stdout, stderr } = await outcomeOf("setpriv", setpriv, {
      environment: { XDG_RUNTIME_DIR: place.directory },
    });
    assert.deepEqual([stdout, stderr], ["0\n", ""]);
  });

  test("for an ordinary user, an image of another user than root is told", async () => {
    const events: OciUnpackEvent[] = [];
    const onEvent = (event: OciUnpackEvent) => events.push(event);
    const rootless = { uid: 1234, gid: 1234 };
    for (const [User, told] of [
      ["0:0", []],
      ["1000:5", ["1000:5"]],
      ["0:5", ["0:5"]],
    ] as const) {
      events.length = 0;
      await using _place = await bundleOf(busyboxImage({ User }), { onEvent, bundle: rootless, strict: true });
      const warnings = events.filter(({ type }) => type === "warning");
      const wanted = told.map((user) => ({
        ...{ type: "warning", code: "USER_NOT_MAPPED" },
        message: `the image's user ${user} is not in a bundle for one user, which has root alone: runtimes start it when "process.user" in its config.json is 0:0`,
      }));
      assert.deepEqual(warnings, wanted);
    }
  });
});

describe("a bundle with maps of ids has a user namespace", { skip }, () => {
  const uidMap = [{ containerID: 0, hostID: 100_000, size: 2000 }];
  const gidMap = [
    { containerID: 0, hostID: 200_000, size: 20 },
    { containerID: 1001, hostID: 300_000, size: 1 },
  ];
  const says = "id; cat /proc/self/uid_map /proc/self/gid_map; ls -lnd /data /home/app";
  const app = busyboxImage({ User: "app", Cmd: ["/bin/sh", "-c", says], Volumes: { "/data": {} } });

  test("of both, and groups who are not in it are left out", async () => {
    assert.deepEqual(await saidIn({ uidMap, gidMap }), [
      "uid=1000(app) gid=1001(app)",
      "0 100000 2000",
      "0 200000 20",
      "1001 300000 1",
      "drwxr-xr-x 0 0 /data",
      "drwxr-xr-x 1000 1001 /home/app",
    ]);
  });

  test("in which groups without a map are the machine's", async () => {
    assert.deepEqual(await saidIn({ uidMap }), [
      "uid=1000(app) gid=1001(app) groups=29(audio)",
      "0 100000 2000",
      "0 0 4294967295",
      "drwxr-xr-x 0 0 /data",
      "drwxr-xr-x 1000 1001 /home/app",
    ]);
  });

  test("and whom the maps do not have is told", async () => {
    const codes: string[] = [];
    const onEvent = (event: OciUnpackEvent) => {
      if (event.type === "warning") codes.push(event.code);
    };
    await using _place = await bundleOf(busyboxImage({ User: "3000" }), { onEvent, uidMap, gidMap });
    assert.deepEqual(codes, ["USER_NOT_MAPPED"]);
  });

  /** What the container says, with one space between words, and of files only modes, owners and names. */
  async function saidIn(maps: UnpackOptions): Promise<readonly string[]> {
    await using place = await bundleOf(app, maps);
    for (const path of [place.directory, place.bundle]) await chmod(path, 0o711);
    const { stdout, stderr } = await runc(place);
    assert.equal(stderr, "");
    return linesIn(stdout).map((line) => {
      const words = line.trim().split(/\s+/);
      return (words.length > 5 ? [words[0], words[2], words[3], words.at(-1)] : words).join(" ");
    });
  }
});

test("crun runs a bundle like runc", { skip: withCrun }, async () => {
  await using place = await bundleOf(busyboxImage(asApp));
  const { stdout, stderr } = await crun(place);
  assert.deepEqual([stderr, linesIn(stdout)], ["", saidByApp]);
});

test("a label that crun would obey as an annotation is none, and is told", { skip: withCrun }, async () => {
  const Labels = { "run.oci.pidfd_receiver": "/nowhere/socket", "org.systemd.property.X": "?", "com.example.a": "b" };
  const warnings: OciUnpackEvent[] = [];
  const onEvent = (event: OciUnpackEvent) => {
    if (event.type === "warning") warnings.push(event);
  };
  await using place = await bundleOf(busyboxImage({ ...asApp, Labels }), { onEvent });
  assert.deepEqual(linesIn((await crun(place)).stdout), saidByApp);
  const found =
    'labels that a runtime would obey are no annotations of the bundle: "run.oci.pidfd_receiver", "org.systemd.property.X"';
  assert.deepEqual(warnings, [{ type: "warning", code: "LABEL_LEFT_OUT", message: found }]);
  const path = join(place.bundle, "config.json");
  const config = JSON.parse(await readFile(path, "utf8"));
  assert.equal(config.annotations["com.example.a"], "b");
  await writeFile(path, JSON.stringify({ ...config, annotations: { ...config.annotations, ...Labels } }));
  const { status, stderr } = await crun(place);
  assert.notEqual(status, 0, "crun obeys what it is told");
  assert.match(stderr, /connect|socket|nowhere/);
});

describe("a working directory that is a symlink", { skip }, () => {
  const Cmd = ["/bin/sh", "-c", "pwd -P"];

  test("is where it leads within the image, for runc and for crun", { skip: withCrun }, async () => {
    await using place = await bundleOf(busyboxImage({ Cmd, WorkingDir: "/w" }, symlink("w", "../../home/app")));
    assert.deepEqual(linesIn((await runc(place)).stdout), ["/home/app"]);
    assert.deepEqual(linesIn((await crun(place)).stdout), ["/home/app"]);
  });

  test("into /proc is refused, also where it dangles before a runtime has mounted anything", async () => {
    for (const [WorkingDir, ...links] of [
      ["/w", symlink("w", "/proc/self/fd/8")],
      ["w/8", symlink("w", "x/y"), symlink("x", "../proc/self"), symlink("proc/self/y", "fd")],
      ["/w", symlink("w", "dev/fd/8"), symlink("dev/fd", "/home")],
    ] as const) {
      const refused = bundleOf(busyboxImage({ Cmd, WorkingDir }, ...links));
      await assert.rejects(refused, { code: "INVALID_CONFIG", message: /leads into \/proc or \/sys/ }, WorkingDir);
    }
  });
});

interface Bundle extends Scratch {
  readonly bundle: string;
}

async function bundleOf(image: Image, options: UnpackOptions = {}): Promise<Bundle> {
  const place = await scratch();
  const layout = join(place.directory, "layout");
  const bundle = join(place.directory, "bundle");
  try {
    await writeImageLayout(layout, [{ tag: "1", images: [image] }]);
    await unpack(`oci:${layout}:1`, bundle, { bundle: true, platform: "linux/amd64", ...options });
    return { ...place, bundle };
  } catch (error) {
    await place[Symbol.asyncDispose]();
    throw error;
  }
}

function runc({ directory, bundle }: Pick<Bundle, "directory" | "bundle">): Promise<Outcome> {
  return outcomeOf("runc", ["--root", join(directory, "runc"), "run", "--bundle", bundle, `test-${process.pid}`]);
}

/** crun insists on cgroups of version 2, which a mount namespace of its own can have on any machine. */
function crun({ directory, bundle }: Pick<Bundle, "directory" | "bundle">): Promise<Outcome> {
  const run = `crun --root ${directory}/crun run --bundle ${bundle} test-${process.pid}`;
  const script = `umount -l -R /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup && exec ${run}`;
  return outcomeOf("unshare", ["--mount", "sh", "-c", script]);
}

function linesIn(text: string): readonly string[] {
  return text.trimEnd().split("\n");
}

/** Images that other tools made, where they lie beside a checkout. */
function fixtures() {
  return [
    {
      name: "alpine-3.10.docker.tar.gz",
      transport: "docker-archive",
      args: ["cat", "/etc/alpine-release"],
      wanted: /^3\.10\.\d+\n$/,
    },
    { name: "busybox-1.31.1.oci.tar", transport: "oci-archive", args: ["busybox", "id"], wanted: /^uid=0\(root\)/ },
  ].filter(({ name }) => existsSync(repositoryFile(`../shared/fixtures/images/${name}`)));
}
