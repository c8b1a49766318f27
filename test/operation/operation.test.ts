import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { describe, test } from "node:test";
import type { OciUnpackEvent } from "../../src/base/events.ts";
import { copy } from "../../src/copy/copy.ts";
import { exportRootfs } from "../../src/export/export.ts";
import type { ResolvedImage, ResolveOptions } from "../../src/image/options.ts";
import { list } from "../../src/look/list.ts";
import { read } from "../../src/look/read.ts";
import { inspect, resolve } from "../../src/look/resolve.ts";
import { unpackOverlay } from "../../src/overlay/unpack-overlay.ts";
import { unpack } from "../../src/unpack/unpack.ts";
import { verify } from "../../src/verify/verify.ts";
import { image, stored } from "../support/image.ts";
import { type RegistryDouble, startRegistry } from "../support/registry-double.ts";
import { sampleLayers } from "../support/sample-layers.ts";
import { scratch } from "../support/scratch.ts";
import { half } from "../support/thorough.ts";
import { skipUnlessWhiteouts } from "../support/tools.ts";

const sample = image(sampleLayers());
const { digest } = sample.manifest.descriptor;
const platform = "linux/amd64";

/** A call of a verb, in a directory of its own. */
interface Verb {
  readonly call: (name: string, directory: string, options: ResolveOptions) => Promise<object>;
  /** What `finished` tells as the output, of what was made in the directory. */
  readonly output?: (directory: string) => string;
  /** Whether it reads layers. Default: true. */
  readonly readsLayers?: boolean;
  /** Why it cannot be tried here to its end. */
  readonly skip?: false | string;
}

const verbs: Readonly<Record<string, Verb>> = {
  resolve: { call: (name, _, options) => resolve(name, options), readsLayers: false },
  inspect: { call: (name, _, options) => inspect(name, options), readsLayers: false },
  list: { call: (name, _, options) => list(name, "/", options) },
  read: {
    async call(name, _, options) {
      const reading = read(name, "etc/hosts", options);
      await buffer(reading);
      return await reading.result;
    },
  },
  unpack: {
    call: (name, directory, options) => unpack(name, join(directory, "target"), options),
    output: (directory) => join(directory, "target", "rootfs"),
  },
  "unpack a part": {
    call: (name, directory, options) => unpack(name, join(directory, "target"), { ...options, include: ["etc"] }),
    output: (directory) => join(directory, "target", "rootfs"),
  },
  unpackOverlay: {
    call: (name, directory, options) => unpackOverlay(name, join(directory, "target"), options),
    output: (directory) => join(directory, "target"),
    skip: skipUnlessWhiteouts(),
  },
  exportRootfs: {
    call: (name, directory, options) => exportRootfs(name, join(directory, "target"), options),
    output: (directory) => join(directory, "target"),
  },
  copy: {
    call: (name, directory, options) => copy(name, join(directory, "target"), options),
    output: (directory) => join(directory, "target"),
  },
  "copy all platforms": {
    call: (name, directory, options) => copy(name, join(directory, "target"), { ...options, allPlatforms: true }),
    output: (directory) => join(directory, "target"),
  },
  verify: {
    async call(name, directory, options) {
      const { onEvent, approve, ...quietly } = options;
      await unpack(name, join(directory, "unpacked"), quietly);
      return await verify(join(directory, "unpacked"), name, options);
    },
  },
};

for (const [name, { call, output, readsLayers = true, skip = false }] of half(Object.entries(verbs))) {
  describe(name, () => {
    test("tells what the image is before anything of its layers, and at the end what was made", { skip }, async () => {
      await using stage = await setStage();
      const events: OciUnpackEvent[] = [];
      const result = await call(stage.name, stage.directory, { platform, onEvent: (event) => events.push(event) });
      const order = events.map(({ type }) => type).filter((type) => type !== "request" && type !== "decision");
      assert.equal(order[0], "resolved");
      assert.equal(order.at(-1), "finished");
      assert.deepEqual(
        order.filter((type) => type === "resolved" || type === "finished"),
        ["resolved", "finished"],
      );
      for (const type of ["downloaded", "download-progress"] as const) {
        assert.equal(order.includes(type), readsLayers, type);
      }
      const finished = events.find((event) => event.type === "finished");
      const { milliseconds, ...told } = finished ?? assert.fail();
      const path = output?.(stage.directory);
      assert.deepEqual(told, { type: "finished", digest, ...(path !== undefined && { output: path }) });
      assert.ok(milliseconds > 0);
      assert.ok("reference" in result && result.reference === stage.name);
      assert.ok("digest" in result && result.digest === digest);
    });

    test("whoever may refuse the image does before a byte of a layer is asked for, and nothing is left", async () => {
      await using stage = await setStage();
      const asked: ResolvedImage[] = [];
      const refusal = new Error("not this one");
      const seen: string[] = [];
      const approve = async (resolved: ResolvedImage) => {
        await undefined;
        asked.push(resolved);
        seen.push(...stage.layersAskedFor());
        throw refusal;
      };
      await assert.rejects(call(stage.name, stage.directory, { platform, approve }), (error) => error === refusal);
      assert.equal(asked[0]?.digest, digest);
      assert.equal(asked[0]?.reference, stage.name);
      if (name !== "copy all platforms") assert.deepEqual(asked[0]?.config?.diffIDs.length, sample.layers.length);
      if (name !== "verify") assert.deepEqual(stage.layersAskedFor(), []);
      else assert.deepEqual(stage.layersAskedFor(), seen, "no more than unpacking had asked for");
      assert.ok(!existsSync(join(stage.directory, "target")));
    });

    test("goes on when the image is approved", { skip }, async () => {
      await using stage = await setStage();
      const asked: ResolvedImage[] = [];
      const approve = (resolved: ResolvedImage) => {
        asked.push(resolved);
      };
      await call(stage.name, stage.directory, { platform, approve });
      assert.equal(asked.length, 1);
    });
  });
}

test("an abort ends the wait for whoever decides", async () => {
  await using stage = await setStage();
  const stop = new AbortController();
  const reason = new Error("nobody answers");
  const approve = () => {
    setImmediate(() => stop.abort(reason));
    return new Promise<void>(() => {});
  };
  await assert.rejects(list(stage.name, "/", { platform, approve, signal: stop.signal }), (error) => error === reason);
  assert.deepEqual(stage.layersAskedFor(), []);
});

interface Stage extends AsyncDisposable {
  readonly registry: RegistryDouble;
  readonly name: string;
  readonly directory: string;
  layersAskedFor(): string[];
}

async function setStage(): Promise<Stage> {
  const registry = await startRegistry();
  const place = await scratch();
  const layers = new Set<string>(sample.layers.map(({ descriptor }) => descriptor.digest));
  return {
    registry,
    name: stored(registry, "some/image", sample),
    directory: place.directory,
    layersAskedFor: () =>
      registry.requests.map(({ path }) => path.slice(path.lastIndexOf("/") + 1)).filter((last) => layers.has(last)),
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]();
      await place[Symbol.asyncDispose]();
    },
  };
}
