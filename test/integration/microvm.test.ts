import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { readFile, symlink, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { describe, test } from "node:test";
import type { ExportForm } from "../../src/index.ts";
import { cloudKernel } from "../support/cloud-kernel.ts";
import { output } from "../support/command.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { commandEntry } from "../support/oci-unpack.ts";
import { repositoryFile } from "../support/repository.ts";
import { busyboxImage } from "../support/runnable-images.ts";
import { scratch } from "../support/scratch.ts";
import { directory, file, symlink as link } from "../support/tar-builder.ts";
import { shareOf } from "../support/thorough.ts";
import { skipWithout } from "../support/tools.ts";

// The lines of docs/microvm.md are run as they stand there: a machine boots what they make, and says what it sees.

const makers = ["mkfs.erofs", "sqfstar", "mke2fs"] as const;
const skip =
  process.arch !== "x64"
    ? "the machine is of another architecture: run it on x86-64"
    : skipWithout("qemu-system-x86_64", "vmlinuz", "busybox", "dmsetup", "jq", "xz", ...makers);

const forms: readonly ExportForm[] = ["squashfs", "erofs", "ext4"];
const blocks = shellBlocks(readFileSync(repositoryFile("docs/microvm.md"), "utf8"));
const theInit = block("oci-unpack inspect --json");
const theWritable = block("#!/bin/sh\nmount -t tmpfs");
const theRoot = block("oci-unpack --output squashfs --add-file");
const theInitramfs = block("mkdir -p initramfs/bin");
const theVerifyingInitramfs = block("for module in dm-mod");
const theMachine = block("qemu-system-x86_64");

/** Data that no file system compresses, so that they are found in its file. */
const data = randomBytes(300_000);
const says = [
  "id",
  "ls -ln /data /bin/id",
  'cat /data/large >/dev/null && echo "all of it is read"',
  'touch /data/new && echo "something is written"',
];
const app = () =>
  busyboxImage(
    { Env: ["PATH=/bin"], WorkingDir: "/data", Entrypoint: ["sh", "-c"], Cmd: [says.join("; ")] },
    ...["proc", "sys", "dev", "mnt"].map((name) => directory(name)),
    ...["mount", "mkdir", "chroot"].map((name) => link(`bin/${name}`, "busybox")),
    file("data/large", data, { uid: 1000, gid: 1001, mode: 0o640 }),
  );

const cases = [
  ...forms.map((form) => ({ title: `${form}, and writes above it`, form, boot: bootWithOverlay })),
  ...forms.map((form) => ({ title: `${form} that is verified while it is read`, form, boot: bootVerified })),
];

describe("a machine boots", { skip, timeout: 900_000 }, () => {
  for (const { title, form, boot } of shareOf(cases.length, cases)) {
    test(title, async () => {
      await using machine = await setStage(form);
      await boot(machine);
    });
  }
});

async function bootWithOverlay(machine: Stage): Promise<void> {
  await writeFile(join(machine.directory, "init-writable"), theWritable);
  const adding = "--add-file 755:0:0:./init-writable:/init-writable";
  await machine.run(theInit + theRoot.replace("--add-file", `${adding} --add-file`) + theInitramfs);
  const seen = await machine.run(theMachine.replace("init=/init", "init=/init-writable"));
  assertSeesAll(seen);
  assert.match(seen, /^something is written\r?$/m);
}

async function bootVerified(machine: Stage): Promise<void> {
  const verified = theRoot.replace("--output", "--verity --json --output").trimEnd();
  await machine.run(`${theInit}${verified} > result.json\n${theInitramfs}${theVerifyingInitramfs}`);
  const boots = theMachine.replace("/dev/vda", "/dev/dm-0");
  const before = await machine.run(boots);
  assertSeesAll(before);
  assert.doesNotMatch(before, /something is written/);
  await machine.damage();
  const after = await machine.run(boots);
  assert.match(after, /data block \d+ is corrupted/);
  assert.match(after, /uid=0\(root\)/);
  assert.doesNotMatch(after, /all of it is read/);
}

function assertSeesAll(seen: string): void {
  assert.match(seen, /^uid=0\(root\) gid=0\(root\)/m);
  assert.match(seen, /^-rw-r----- +1 1000 +1001 +300000 .* large\r?$/m);
  assert.match(seen, /^lrwxrwxrwx .* \/bin\/id -> busybox\r?$/m);
  assert.match(seen, /^all of it is read\r?$/m);
}

type Stage = Awaited<ReturnType<typeof setStage>>;

/** Where the lines are run, for another image and with another file system than is written there. */
async function setStage(form: ExportForm) {
  const place = await scratch();
  const { directory: here } = place;
  await writeImageLayout(join(here, "layout"), [{ tag: "app", images: [app()] }]);
  await symlink(cloudKernel, join(here, "vmlinuz"));
  const surroundings = [
    `oci-unpack() { '${process.execPath}' '${commandEntry}' "$@"; }`,
    `uname() { echo '${basename(cloudKernel).replace("vmlinuz-", "")}'; }`,
  ];
  return {
    ...place,
    /** Gives what the lines write to standard output. */
    async run(lines: string): Promise<string> {
      const meant = lines
        .replaceAll("alpine:3.20", "oci:layout:app")
        .replaceAll(/(?<=--output |root\.|rootfstype=)squashfs/g, form);
      return await output("bash", ["-euc", [...surroundings, meant].join("\n")], { directory: here });
    },
    /** Changes a bit of the file. */
    async damage(): Promise<void> {
      const path = join(here, `root.${form}`);
      const bytes = await readFile(path);
      const at = bytes.indexOf(data.subarray(200_000, 200_100));
      assert.ok(at > 0);
      bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
      await writeFile(path, bytes);
    },
  };
}

function block(start: string): string {
  return blocks.find((each) => each.startsWith(start)) ?? assert.fail(`no lines begin with ${start}`);
}

function shellBlocks(page: string): readonly string[] {
  return [...page.matchAll(/^```sh\n(.*?)^```/gms)].map(([, lines = ""]) => lines);
}
