import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { half, third } from "../support/thorough.ts";
import { skipWithout } from "../support/tools.ts";
import { type Fault, sample } from "./fault.ts";
import { places } from "./places.ts";
import { type Stage, setStage, type Told } from "./stage.ts";

/** What can be wrong with an archive before anything in it is looked at. */
interface Damage {
  readonly title: string;
  readonly damaged: (archive: Buffer) => Uint8Array;
  readonly code: string;
  readonly message: RegExp;
}

const none: Fault = { title: "none", image: sample, code: "INTERNAL" };

const damages: readonly Damage[] = [
  {
    title: "cut in the middle",
    damaged: (archive) => archive.subarray(0, archive.length >> 1),
    ...{ code: "INVALID_ARCHIVE", message: /the archive ends \d+ bytes too early/ },
  },
  {
    title: "cut in a header",
    damaged: (archive) => archive.subarray(0, 700),
    ...{ code: "INVALID_ARCHIVE", message: /the archive ends after 188 bytes of it/ },
  },
  { title: "empty", damaged: () => new Uint8Array(0), code: "INVALID_ARCHIVE", message: /: it is empty$/ },
  { title: "no archive", damaged: () => randomBytes(10_000), code: "INVALID_ARCHIVE", message: /its checksum is / },
  {
    title: "compressed with gzip and cut",
    damaged: (archive) => cut(gzipSync(archive)),
    ...{ code: "INVALID_ARCHIVE", message: /^cannot decompress "/ },
  },
  {
    title: "compressed with zstd and cut",
    damaged: (archive) => cut(execFileSync("zstd", ["-q", "-c"], { input: archive, maxBuffer: 1e8 })),
    ...{ code: "INVALID_ARCHIVE", message: /^cannot decompress "/ },
  },
  {
    title: "compressed with what nobody reads here",
    damaged: (archive) => execFileSync("bzip2", ["-c"], { input: archive, maxBuffer: 1e8 }),
    ...{ code: "UNSUPPORTED_MEDIA_TYPE", message: /bzip2/ },
  },
];

/** Every way by which an archive comes. */
const ways: Readonly<Record<string, (stage: Stage, archive: Uint8Array) => Promise<Told>>> = {
  "oci-archive:": async (stage, archive) => await failingFrom(stage, "oci-archive", archive),
  "docker-archive:": async (stage, archive) => await failingFrom(stage, "docker-archive", archive),
  "oci-archive:-": async (stage, archive) => await stage.failsAlone(["oci-archive:-", target(stage)], archive),
  "docker-archive:-": async (stage, archive) => await stage.failsAlone(["docker-archive:-", target(stage)], archive),
};

for (const [number, [way, failing]] of Object.entries(ways).entries()) {
  describe(`from ${way}`, { skip: skipWithout("zstd", "bzip2") }, () => {
    for (const { title, damaged, code, message } of third(damages, number)) {
      test(`an archive that is ${title}: ${code}`, async () => {
        await using stage = await setStage();
        const told = await failing(stage, damaged(await wholeArchive(stage)));
        assert.equal(told.code, code, told.message);
        assert.match(told.message, message);
      });
    }
  });
}

describe("where no image is", () => {
  for (const [name, code, message] of half([
    ["oci:DIR/none:1", "NOT_FOUND", /there is no such directory$/],
    ["oci:DIR/file:1", "NOT_FOUND", /no index\.json/],
    ["oci:DIR/empty:1", "NOT_FOUND", /no index\.json/],
    ["oci-archive:DIR/none", "NOT_FOUND", /there is no such file/],
    ["oci-archive:DIR/empty", "INVALID_ARCHIVE", /it is a directory/],
    ["docker-archive:DIR/none", "NOT_FOUND", /there is no such file/],
    ["docker-archive:DIR/empty", "INVALID_ARCHIVE", /it is a directory/],
    ["dir:DIR/none", "NOT_FOUND", /there is no such directory$/],
    ["dir:DIR/file", "NOT_FOUND", /no "manifest\.json"/],
    ["oci:", "INVALID_REFERENCE", /it names no path/],
    ["oci:DIR/empty@sha256:12", "INVALID_REFERENCE", /wrong number of digits/],
    ["docker-archive:DIR/file:UPPER", "INVALID_ARCHIVE", /cannot read the archive/],
    ["docker-daemon:", "INVALID_REFERENCE", /is not the name of an image/],
    ["docker-daemon:app:1", "UNREACHABLE", /no engine listens there/],
    ["app/UPPER", "INVALID_REFERENCE", /upper-case/],
    ["127.0.0.1:1/app:1", "UNREACHABLE", /refuses connections/],
  ] as const)) {
    test(`${name}: ${code}`, async () => {
      await using stage = await setStage();
      await mkdir(join(stage.directory, "empty"));
      await writeFile(join(stage.directory, "file"), "text");
      const env = { DOCKER_HOST: `unix://${stage.directory}/none` };
      const told = await stage.fails([name.replace("DIR", stage.directory), target(stage)], env);
      assert.equal(told.code, code, told.message);
      assert.match(told.message, message);
    });
  }
});

describe("a name that is not there is answered with those that are", () => {
  for (const [source, ending, hint] of [
    ["oci:", ":1", ":1"],
    ["oci-archive:", ":1", ":1"],
    ["docker-archive:", ":app:1", ":app:1"],
    ["--offline", ":1", ":1"],
  ] as const) {
    test(source, async () => {
      await using stage = await setStage();
      await using placed = await (places[source] ?? assert.fail())(none, stage);
      const name = placed.args.at(-1) ?? "";
      const other = name.replace(new RegExp(`${ending}$`), ":other");
      const told = await stage.fails([...placed.args.slice(0, -1), other, target(stage)]);
      assert.equal(told.code, "NOT_FOUND", told.message);
      assert.ok(told.hint.endsWith(hint), told.hint);
    });
  }
});

test("a named pipe in the place of a file is not waited for", async () => {
  await using stage = await setStage();
  await using placed = await (places["oci:"] ?? assert.fail())({ ...none, layer: () => undefined }, stage);
  const layer = sample.layers.at(-1)?.descriptor.digest.replace(":", "/") ?? "";
  execFileSync("mkfifo", [join(stage.directory, "layout/blobs", layer)]);
  const told = await stage.fails([...placed.args, target(stage)]);
  assert.equal(told.code, "INVALID_ARCHIVE");
  assert.match(told.message, /it is not a file$/);
});

async function wholeArchive(stage: Stage): Promise<Buffer> {
  await using _placed = await (places["docker-archive:"] ?? assert.fail())(none, stage);
  return await readFile(join(stage.directory, "layout.tar"));
}

async function failingFrom(stage: Stage, transport: string, archive: Uint8Array): Promise<Told> {
  const path = join(stage.directory, "damaged.tar");
  await writeFile(path, archive);
  return await stage.fails([`${transport}:${path}`, target(stage)]);
}

function target(stage: Stage): string {
  return join(stage.place, "target");
}

function cut(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(0, bytes.length >> 1);
}
