import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import {
  copy,
  exportRootfs,
  inspect,
  list,
  read,
  registry,
  resolve,
  sourceFor,
  store,
  storedSource,
  unpack,
  unpackOverlay,
  verify,
} from "../src/index.ts";
import { image } from "./support/image.ts";
import { writeImageLayout } from "./support/image-layout.ts";
import { scratch } from "./support/scratch.ts";
import { file, tar } from "./support/tar-builder.ts";

/** As JavaScript calls: with anything. */
type Untyped = (...given: unknown[]) => unknown;

const name = "oci:/nowhere:x";
const place = "/nowhere/at/all";

/** Each call, given its options. */
const calls: Readonly<Record<string, (options: unknown) => unknown>> = {
  unpack: (options) => (unpack as Untyped)(name, place, options),
  unpackOverlay: (options) => (unpackOverlay as Untyped)(name, place, options),
  exportRootfs: (options) => (exportRootfs as Untyped)(name, place, options),
  copy: (options) => (copy as Untyped)(name, place, options),
  verify: (options) => (verify as Untyped)(place, name, options),
  list: (options) => (list as Untyped)(name, "/", options),
  read: (options) => (read as Untyped)(name, "/", process.stdout, options),
  inspect: (options) => (inspect as Untyped)(name, options),
  resolve: (options) => (resolve as Untyped)(name, options),
  registry: (options) => (registry as Untyped)(options),
  sourceFor: (options) => (sourceFor as Untyped)(name, options),
  storedSource: (options) => (storedSource as Untyped)({}, { directory: place }, options),
  "store().list": (options) => (store(place).list as Untyped)(options),
  "store().prune": (options) => (store(place).prune as Untyped)(options),
};

const notStored = new Set(["registry", "sourceFor", "storedSource", "store().list", "store().prune"]);

async function refused(call: () => unknown, message: string): Promise<void> {
  await assert.rejects(async () => await call(), { name: "OciUnpackError", code: "INVALID_OPTION", message });
}

describe("what JavaScript calls with is checked", () => {
  for (const [called, call] of Object.entries(calls)) {
    test(`${called} refuses an option that it does not have, and options that are none`, async () => {
      await refused(() => call({ platfrom: "linux/amd64" }), "cannot use the option platfrom: there is no such option");
      await refused(() => call("strict"), 'cannot use the option options: "strict" is not an object');
      await refused(() => call(null), "cannot use the option options: null is not an object");
    });

    test(`${called} takes an option that is undefined for one that is not given`, async () => {
      await assert.doesNotReject(async () => {
        try {
          await call({ onEvent: undefined, signal: undefined, strict: undefined, offline: undefined });
        } catch (error) {
          if (/cannot use the option .* undefined/.test(String(error))) throw error;
        }
      });
    });

    if (notStored.has(called)) continue;
    for (const [option, value, found] of [
      ["strict", "yes", '"yes" is not true or false'],
      ["signal", {}, "this object is not an AbortSignal"],
      ["onEvent", 5, "5 is not a function"],
      ["limits", null, "null is not an object"],
      ["platform", 7, "7 is not a string or an object"],
      ["source", "docker.io", '"docker.io" is not an object'],
      ["sandbox", "maybe", '"maybe" is not one of require, prefer, off'],
    ] as const) {
      test(`${called} refuses ${option}: ${found}`, async () => {
        await refused(() => call({ [option]: value }), `cannot use the option ${option}: ${found}`);
      });
    }
  }
});

test("what an unpacking does not know how to use is refused by name", async () => {
  for (const [options, message] of [
    [{ include: "etc" }, 'include: "etc" is not a list of strings'],
    [{ uidMap: [null] }, "uidMap: this list is not a list of objects"],
    [{ devices: "make" }, 'devices: "make" is not one of skip, create, placeholder, error'],
    [{ bundle: "yes" }, 'bundle: "yes" is not true or false or an object'],
    [{ sourceDateEpoch: -1 }, "sourceDateEpoch: -1 is not a whole number from 0 on"],
    [{ manifest: new URL("https://a/b") }, 'manifest: "https://a/b" is not a path or a file: URL'],
    [{ limits: { entires: 5 } }, "limits.entires: there is no such limit"],
  ] as const) {
    await refused(() => (unpack as Untyped)(name, place, options), `cannot use the option ${message}`);
  }
  await refused(
    () => (unpack as Untyped)(name),
    "cannot use the option directory: undefined is not a path or a file: URL",
  );
  await refused(() => (unpack as Untyped)(undefined, place), "cannot use the option name: undefined is not a string");
  await refused(
    () => (unpack as Untyped)(name, "a\0b"),
    'cannot use the option directory: "a\\u0000b" is not a path or a file: URL',
  );
  await refused(
    () => (copy as Untyped)(name, 5),
    "cannot use the option destination: 5 is not a path, a file: URL or a stream",
  );
  await refused(
    () => (registry as Untyped)({ network: { denyPrivate: 1 } }),
    "cannot use the option denyPrivate: 1 is not true or false",
  );
  await refused(
    () => (registry as Untyped)({ deadlines: { stall: 1 } }),
    "cannot use the option stall: there is no such option",
  );
  assert.ok(!existsSync(place));
});

test("directories and files may be URLs", async () => {
  await using stage = await scratch();
  const layout = join(stage.directory, "layout");
  await writeImageLayout(layout, [{ tag: "x", images: [image([tar(file("motd", "hello"))])] }]);
  const url = (path: string) => pathToFileURL(join(stage.directory, path));
  const reference = `oci:${layout}:x`;
  const options = { platform: "linux/amd64", sandbox: "prefer" } as const;
  await unpack(reference, url("a root"), { ...options, manifest: url("mtree") });
  const { differenceCount } = await verify(url("a root"), reference, options);
  const kept = store(url("store"));
  await using source = storedSource(sourceFor(reference, { sandbox: "prefer" }), kept);
  await unpackOverlay(reference, url("overlay"), { ...options, source, store: kept });
  await copy(reference, url("copy"), options);
  await exportRootfs(reference, url("root.tar"), options);
  assert.equal(differenceCount, 0);
  const made = ["a root", "copy", "layout", "mtree", "overlay", "root.tar", "store"];
  assert.deepEqual((await readdir(stage.directory)).sort(), made);
});
