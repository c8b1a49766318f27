import assert from "node:assert/strict";
import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { verdictLines } from "../../src/cli/report.ts";
import type { VerifyResult } from "../../src/index.ts";
import { digestOf } from "../../src/oci/digest.ts";
import { image } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { ociUnpack } from "../support/oci-unpack.ts";
import { type Scratch, scratch } from "../support/scratch.ts";
import { directory, file, tar } from "../support/tar-builder.ts";

const sample = image([tar(directory("etc"), file("etc/motd", "hello"), file("etc/hosts", ""), file("etc/issue", ""))]);

interface Stage extends Scratch {
  readonly name: string;
  readonly target: string;
  readonly store: string;
}

async function setStage(): Promise<Stage> {
  const place = await scratch();
  const layout = join(place.directory, "layout");
  await writeImageLayout(layout, [{ tag: "x", images: [sample] }]);
  const [name, target, store] = [`oci:${layout}:x`, join(place.directory, "target"), join(place.directory, "store")];
  const { status, stderr } = await ociUnpack(["-p", "linux/amd64", "--store", store, name, target]);
  assert.equal(status, 0, stderr);
  return { ...place, name, target, store };
}

function tamper({ target }: Stage): void {
  writeFileSync(join(target, "rootfs/etc/\x1b[2Jevil"), "");
  chmodSync(join(target, "rootfs/etc/hosts"), 0o666);
  rmSync(join(target, "rootfs/etc/issue"));
}

test("verify says so where nothing changed", async () => {
  await using stage = await setStage();
  const { status, stdout, stderr } = await ociUnpack(["verify", stage.target, stage.name]);
  assert.deepEqual({ status, stdout }, { status: 0, stdout: "" });
  const verdict = `same: ${stage.target}/rootfs is what ${stage.name} says (5 entries)`;
  assert.equal(stderr, `${verdict}\n  ${sample.manifest.descriptor.digest}\n`);
});

test("verify lists what was added, is missing or has changed, and exits with 3", async () => {
  await using stage = await setStage();
  tamper(stage);
  const { status, stdout, stderr } = await ociUnpack(["verify", stage.target, stage.name]);
  assert.equal(status, 3);
  assert.deepEqual(stdout.split("\n"), [
    "added       etc/\\x1b[2Jevil",
    "changed     etc/hosts (mode)",
    "missing     etc/issue",
    "",
  ]);
  assert.match(stderr, /^different: \S+ is not what \S+ says \(3 differences\)$/m);
});

test("verify tells the same as JSON", async () => {
  await using stage = await setStage();
  tamper(stage);
  const { status, stdout, stderr } = await ociUnpack(["verify", "--json", "-q", stage.target, stage.name]);
  assert.deepEqual({ status, stderr }, { status: 3, stderr: "" });
  const { digest, differenceCount, differences } = JSON.parse(stdout) as VerifyResult;
  assert.deepEqual([digest, differenceCount], [sample.manifest.descriptor.digest, 3]);
  assert.deepEqual(differences, [
    { kind: "added", path: "etc/\x1b[2Jevil" },
    { kind: "changed", path: "etc/hosts", parts: ["mode"] },
    { kind: "missing", path: "etc/issue" },
  ]);
});

test("with a store verify knows the image by itself, and asks nobody else", async () => {
  await using stage = await setStage();
  rmSync(join(stage.directory, "layout"), { recursive: true });
  const { status, stderr } = await ociUnpack(["verify", "--store", stage.store, stage.target]);
  assert.equal(status, 0, stderr);
  tamper(stage);
  assert.equal((await ociUnpack(["verify", stage.target], { env: { OCI_UNPACK_STORE: stage.store } })).status, 3);
});

test("without an image and a store verify says what is missing", async () => {
  const { status, stderr } = await ociUnpack(["verify", "./debian"]);
  assert.equal(status, 2);
  assert.equal(
    stderr,
    [
      'error: cannot verify "./debian": which image it was unpacked from is not known',
      "hint: name it: oci-unpack verify ./debian IMAGE; or name a store that has it, with --store",
      "",
    ].join("\n"),
  );
});

test("where some of it could not be read, verify says who can", () => {
  const result: VerifyResult = {
    ...{
      reference: "x:1",
      digest: digestOf(Buffer.from("")),
      platform: { os: "linux", architecture: "amd64" },
      rootfs: "/r",
    },
    ...{
      entries: 1,
      differences: [{ kind: "unreadable", path: "shadow" }],
      differenceCount: 1,
      layers: 1,
      milliseconds: 1,
    },
  };
  const plain = (text: string) => text;
  const [, , ...more] = verdictLines(result, { red: plain, green: plain, cyan: plain, faint: plain });
  assert.deepEqual(more, [
    "  what this user may not read, root may, as in: unshare --map-root-user oci-unpack verify …",
  ]);
});
