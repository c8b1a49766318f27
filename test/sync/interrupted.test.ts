import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type SyncOptions, sync, unpack } from "../../src/index.ts";
import type { Listing } from "../model/listing.ts";
import { Random } from "../model/random.ts";
import { readTree } from "../rules/real-tree.ts";
import { type Outcome, outcomeOf } from "../support/command.ts";
import { image } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { type Scratch, scratch } from "../support/scratch.ts";
import { directory, file, hardlink, symlink, tar, whiteout } from "../support/tar-builder.ts";
import { half, isThorough, shareOf } from "../support/thorough.ts";
import { skipWithout } from "../support/tools.ts";

const program = fileURLToPath(new URL("sync-probe.js", import.meta.url));

const numbers = Array.from({ length: 30 }, (_, n) => n);
const base = tar(
  directory("bin"),
  ...numbers.map((n) => file(`bin/${n}`, `program ${n}`)),
  hardlink("bin/again", "bin/1"),
  symlink("bin/sh", "0"),
  directory("old/deep"),
  file("old/deep/file", "old"),
);
const next = tar(
  directory("bin", { mode: 0o700 }),
  ...numbers.filter((n) => n % 3 === 0).map((n) => file(`bin/${n}`, `newer program ${n}`)),
  whiteout("old"),
  directory("new"),
  file("new/file", "new".repeat(20_000)),
);

/** One of two images that a directory becomes in turn. */
interface Version {
  readonly name: string;
  readonly tree: Listing;
  readonly config: string;
}

/** Calls of the kernel by which something is changed, and how often one thread makes each of them at most. */
const calls = {
  mkdir: 1,
  rename: 3,
  renameat2: 1,
  unlink: 3,
  rmdir: 1,
  openat2: 8,
  linkat: 30,
  mkdirat: 5,
  unlinkat: 40,
  fchmod: 12,
  fchown: 12,
  utimensat: 12,
  ftruncate: 2,
} as const;

type Call = keyof typeof calls;
type Point = readonly [call: Call, count: number];

/** Where something is made to happen: before a call is made for the so-many-th time. */
function pointsOf(count: number, always: readonly Point[], seed: number): readonly Point[] {
  const random = new Random(seed);
  const names = Object.keys(calls) as Call[];
  const point = (): Point => {
    const call = random.oneOf(names);
    return [call, 1 + random.below(calls[call])];
  };
  return isThorough ? [...always, ...Array.from({ length: count }, point)] : always;
}

describe("a sync that is ended", { skip: skipWithout("strace") }, () => {
  let place: Scratch;
  let versions: readonly [Version, Version];
  let targets = 0;

  for (const bundle of half([false, true])) {
    const options: SyncOptions = { platform: "linux/amd64", bundle };
    describe(bundle ? "with a container's configuration" : "with the image's configuration", () => {
      before(async () => {
        place = await scratch();
        versions = await bothVersions(place.directory, options);
      });
      after(() => place[Symbol.asyncDispose]());

      test("by SIGKILL leaves one whole version, and the next one goes on", async (context) => {
        const always: readonly Point[] = shareOf(4, [
          ["rename", 1],
          ["renameat2", 1],
          ["rename", bundle ? 3 : 2],
          ["linkat", 5],
        ]);
        const points = pointsOf(100, always, 1);
        const signals = [];
        for (const [call, count] of points) {
          const said = `${call} ${count}`;
          const { signal } = await assertEnded(said, `inject=${call}:signal=KILL:when=${count}`, { options });
          if (signal === "SIGKILL") signals.push(said);
        }
        context.diagnostic(`${signals.length} of ${points.length} were killed`);
        assert.ok(signals.length >= points.length / 2);
      });

      test("by an error leaves what was there, and nothing else", async (context) => {
        const always: readonly Point[] = [["renameat2", 1]];
        let failures = 0;
        const points = pointsOf(60, always, 2);
        for (const [index, [call, count]] of points.entries()) {
          const error = ["ENOSPC", "EROFS", "EIO"][index % 3];
          const { status } = await assertEnded(
            `${error} of ${call} ${count}`,
            `inject=${call}:error=${error}:when=${count}`,
            { options },
          );
          assert.ok(status === 0 || status === 1);
          failures += status;
        }
        context.diagnostic(`${failures} of ${points.length} failed`);
        assert.ok(failures >= points.length / 2);
      });

      test("by errors without end leaves one whole version, and the next one goes on", async () => {
        for (const [call, count] of pointsOf(40, [], 3)) {
          await assertEnded(`EROFS of ${call} from ${count} on`, `inject=${call}:error=EROFS:when=${count}+`, {
            options,
          });
        }
      });
    });
  }

  test("where only the configuration is another one", async () => {
    await using own = await scratch();
    const layout = join(own.directory, "layout");
    const images = ["a", "b"].map((author) => image([base], { config: { author } }));
    await writeImageLayout(
      layout,
      images.map((each, index) => ({ tag: `v${index}`, images: [each] })),
    );
    const target = join(own.directory, "target");
    const options = { platform: "linux/amd64" };
    const { config } = await unpack(`oci:${layout}:v0`, target, options);
    const { status } = await ended(`oci:${layout}:v1`, target, {
      injection: "inject=rename:error=EIO:when=1",
      options,
    });
    assert.deepEqual([status, readdirSync(target).sort()], [1, ["config.json", "rootfs"]]);
    assert.match(readFileSync(config, "utf8"), /"author":"a"/);
    await sync(`oci:${layout}:v1`, target, options);
    assert.match(readFileSync(config, "utf8"), /"author":"b"/);
  });

  /** Ends a sync from one version to the other, and insists on what is there then, and after the next one. */
  async function assertEnded(
    said: string,
    injection: string,
    { options }: { readonly options: SyncOptions },
  ): Promise<Outcome> {
    const [from, to] = targets % 2 === 0 ? versions : [versions[1], versions[0]];
    const target = join(place.directory, `target-${targets++}`);
    await unpack(from.name, target, options);
    const outcome = await ended(to.name, target, { injection, options });
    const told = `${said}\n${outcome.stderr}`;
    const found = readTree(join(target, "rootfs"));
    const version = JSON.stringify(found) === JSON.stringify(from.tree) ? from : to;
    assert.deepEqual(found, version.tree, told);
    const config = readdirSync(target).includes("config.json") ? readFileSync(join(target, "config.json"), "utf8") : "";
    assert.ok(config === "" || config === version.config, `another version's configuration: ${told}`);
    const isError = outcome.status === 1 && !injection.endsWith("+");
    if (isError && version === from) {
      assert.deepEqual(readdirSync(target).sort(), documentsOf(options), told);
      assert.equal(config, from.config, told);
    }
    await sync(to.name, target, options).catch((error) => assert.fail(`the next one: ${error}\n${told}`));
    assert.deepEqual(readTree(join(target, "rootfs")), to.tree, told);
    assert.deepEqual(readdirSync(target).sort(), documentsOf(options), told);
    assert.equal(readFileSync(join(target, "config.json"), "utf8"), to.config, told);
    return outcome;
  }
});

function documentsOf({ bundle }: SyncOptions): readonly string[] {
  return bundle === true ? ["config.json", "image-config.json", "rootfs"] : ["config.json", "rootfs"];
}

async function bothVersions(place: string, options: SyncOptions): Promise<readonly [Version, Version]> {
  const layout = join(place, "layout");
  const images = [image([base]), image([base, next], { config: { config: { Cmd: ["/bin/1"] } } })];
  await writeImageLayout(
    layout,
    images.map((each, index) => ({ tag: `v${index}`, images: [each] })),
  );
  const version = async (tag: string): Promise<Version> => {
    const name = `oci:${layout}:${tag}`;
    const { rootfs, config } = await unpack(name, join(place, tag), options);
    return { name, tree: readTree(rootfs), config: readFileSync(config, "utf8") };
  };
  return [await version("v0"), await version("v1")];
}

/** Syncs in a process of its own to which something happens. */
function ended(
  name: string,
  target: string,
  { injection, options }: { readonly injection: string; readonly options: SyncOptions },
): Promise<Outcome> {
  const strace = ["-f", "--seccomp-bpf", "-qqq", "-o", "/dev/null", "-e", injection, "--"];
  const command = [process.execPath, program, name, target, JSON.stringify(options)];
  // With one thread the calls of the main thread are counted together.
  return outcomeOf("strace", [...strace, ...command], { environment: { UV_THREADPOOL_SIZE: "1" } });
}
