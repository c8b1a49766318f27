import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, open, readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { describe, test } from "node:test";
import { uuidOf } from "../../src/export/file-system-tool.ts";
import { makeHashTree, type Verity, type VerityPlan } from "../../src/export/verity.ts";
import { type ExportForm, type ExportOptions, exportRootfs } from "../../src/index.ts";
import { digestOf } from "../../src/oci/digest.ts";
import { image, stored } from "../support/image.ts";
import { ociUnpack } from "../support/oci-unpack.ts";
import { startRegistry } from "../support/registry-double.ts";
import { sampleLayers } from "../support/sample-layers.ts";
import { scratch } from "../support/scratch.ts";
import { searchPath, skipWithout, type Tool } from "../support/tools.ts";

const digest = digestOf(Buffer.from("an image"));
const { signal } = new AbortController();
const blockBytes = 4096;

/** Files of so many blocks have no hashes above them, one level, two, and the beginning of a third. */
const sizes = [1, 2, 128, 129, 128 * 128 + 1];

/** Blocks that differ from each other. */
function contentOf(blocks: number): Buffer {
  const content = Buffer.alloc(blocks * blockBytes, "content");
  for (let block = 0; block < blocks; block += 1) content.writeUInt32LE(block, block * blockBytes);
  return content;
}

async function made(path: string, content: Buffer, changes: Partial<VerityPlan> = {}): Promise<Verity> {
  await writeFile(path, content);
  return await makeHashTree({ data: path, hashes: path, digest, uuid: uuidOf(digest), signal, ...changes });
}

/** veritysetup is in a directory that an ordinary user's PATH often lacks. */
const env = { ...process.env, PATH: searchPath().join(":") };

const verify = (data: string, hashes: string, { rootHash, hashOffsetBytes }: Verity) =>
  spawnSync("veritysetup", ["verify", data, hashes, rootHash, `--hash-offset=${hashOffsetBytes}`], {
    encoding: "utf8",
    env,
  });

describe("a hash tree is what veritysetup makes, byte for byte", { skip: skipWithout("veritysetup") }, () => {
  for (const blocks of sizes) {
    test(`of ${blocks} blocks`, async () => {
      await using place = await scratch();
      const [data, ours, theirs] = ["data", "ours", "theirs"].map((name) => join(place.directory, name));
      assert.ok(data && ours && theirs);
      await writeFile(ours, "");
      const verity = await made(data, contentOf(blocks), { hashes: ours });
      const args = ["format", data, theirs, `--salt=${verity.salt}`, `--uuid=${uuidOf(digest)}`];
      const said = execFileSync("veritysetup", args, { encoding: "utf8", env });
      assert.match(said, new RegExp(`Root hash:\\s+${verity.rootHash}`));
      assert.deepEqual(await readFile(ours), await readFile(theirs));
      assert.deepEqual([verity.hashOffsetBytes, verity.dataBlocks], [0, blocks]);
      assert.equal(verify(data, ours, verity).status, 0);
    });
  }

  test("behind the data it verifies them, and not one bit that was changed", async () => {
    await using place = await scratch();
    const data = join(place.directory, "data");
    const verity = await made(data, contentOf(300).subarray(0, -100));
    assert.deepEqual([verity.hashOffsetBytes, verity.dataBlocks], [300 * blockBytes, 300]);
    assert.equal(verify(data, data, verity).status, 0);
    await using file = await open(data, "r+");
    await file.write("X", 200 * blockBytes + 17);
    assert.notEqual(verify(data, data, verity).status, 0);
  });
});

test("a root hash is the hash of the salt and the hashes of all blocks", async () => {
  await using place = await scratch();
  const content = contentOf(2);
  const { rootHash, salt } = await made(join(place.directory, "data"), content);
  const hash = (bytes: Buffer) => createHash("sha256").update(Buffer.from(salt, "hex")).update(bytes).digest();
  const hashes = [content.subarray(0, blockBytes), content.subarray(blockBytes)].map(hash);
  assert.equal(rootHash, hash(Buffer.concat([...hashes, Buffer.alloc(blockBytes - 64)])).toString("hex"));
  assert.equal(salt, digest.replace("sha256:", ""));
});

const tools: Readonly<Record<Exclude<ExportForm, "tar">, Tool>> = {
  erofs: "mkfs.erofs",
  squashfs: "sqfstar",
  ext4: "mke2fs",
};

async function exported(path: string, options: ExportOptions) {
  await using registry = await startRegistry();
  const name = stored(registry, "some/image", image(sampleLayers()));
  return await exportRootfs(name, path, { platform: "linux/amd64", ...options });
}

for (const [form, tool] of Object.entries(tools) as [Exclude<ExportForm, "tar">, Tool][]) {
  test(`${form}: the same image has the same root hash, with the hash tree behind it or apart`, {
    skip: skipWithout(tool, "veritysetup"),
  }, async () => {
    await using place = await scratch();
    const [first, second, hashes] = ["first", "second", "hashes"].map((name) => join(place.directory, name));
    assert.ok(first && second && hashes);
    const behind = await exported(first, { form, verity: true });
    const apart = await exported(second, { form, verityFile: hashes });
    assert.ok(behind.verity && apart.verity);
    assert.equal(behind.verity.rootHash, apart.verity.rootHash);
    assert.equal(verify(first, first, behind.verity).status, 0);
    assert.equal(verify(second, hashes, apart.verity).status, 0);
    assert.equal(behind.bytes, (await readFile(first)).length);
    const alone = join(place.directory, "alone");
    await copyFile(first, alone);
    await truncate(alone, behind.verity.hashOffsetBytes);
    assert.deepEqual(await readFile(alone), await readFile(second), "the file system itself is the same");
    assert.deepEqual((await readdir(place.directory)).sort(), ["alone", "first", "hashes", "second"]);
  });
}

test("an archive, a stream and the file itself are refused before anybody is asked", async () => {
  await using place = await scratch();
  const path = join(place.directory, "file");
  for (const [destination, options] of [
    [path, { verity: true }],
    [path, { verityFile: `${path}.hashes` }],
    [new PassThrough(), { verity: true }],
    [path, { form: "erofs", verityFile: path }],
  ] as const) {
    await assert.rejects(exportRootfs("127.0.0.1:1/none", destination, options), { code: "INVALID_OPTION" });
  }
  assert.deepEqual(await readdir(place.directory), []);
});

test("when one of the two files cannot appear, neither does", { skip: skipWithout("sqfstar") }, async () => {
  await using place = await scratch();
  const path = join(place.directory, "file");
  const hashes = join(place.directory, "hashes");
  await writeFile(hashes, "somebody else's");
  await assert.rejects(exported(path, { form: "squashfs", verityFile: hashes }), { code: "TARGET_NOT_EMPTY" });
  assert.ok(!existsSync(path));
  assert.equal(await readFile(hashes, "utf8"), "somebody else's");
});

test("the command tells the root hash, and refuses the option where there are no blocks", {
  skip: skipWithout("sqfstar"),
}, async () => {
  await using registry = await startRegistry();
  await using place = await scratch();
  const name = stored(registry, "some/image", image(sampleLayers()));
  const path = join(place.directory, "root.squashfs");
  const args = ["--output", "squashfs", "--verity", "-p", "linux/amd64", "-o", path, name];
  const told = await ociUnpack(args);
  assert.equal(told.status, 0, told.stderr);
  assert.match(told.stderr, /root hash [0-9a-f]{64}\n {2}of [\d,]+ blocks of 4096 bytes, with the salt [0-9a-f]{64}/);
  for (const output of ["rootfs", "tar", "layout"]) {
    const { status, stderr } = await ociUnpack(["--output", output, "--verity", "-o", path, name]);
    assert.deepEqual([status, /cannot use (-o|--verity)/.test(stderr)], [2, true], stderr);
  }
});
