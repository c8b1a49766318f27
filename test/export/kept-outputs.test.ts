import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import {
  type ExportForm,
  type ExportOptions,
  type ExportResult,
  exportRootfs,
  type OciUnpackEvent,
  registrySource,
  type Store,
  store,
  storedSource,
} from "../../src/index.ts";
import { type Image, image, stored } from "../support/image.ts";
import { type RegistryDouble, startRegistry } from "../support/registry-double.ts";
import { sampleLayers } from "../support/sample-layers.ts";
import { type Scratch, scratch } from "../support/scratch.ts";
import { skipWithout, type Tool } from "../support/tools.ts";

const sample = image(sampleLayers());
const tools: Readonly<Partial<Record<ExportForm, Tool>>> = { erofs: "mkfs.erofs", squashfs: "sqfstar", ext4: "mke2fs" };

/** What one export did. */
interface Exported {
  readonly result: ExportResult;
  readonly bytes: Buffer;
  readonly events: readonly OciUnpackEvent[];
  /** The documents and blobs that the registry was asked for. */
  readonly asked: readonly string[];
}

interface Stage extends AsyncDisposable {
  readonly directory: string;
  readonly registry: RegistryDouble;
  readonly reference: string;
  readonly store: Store;
  /** Exports with `keep` through the store, to a file that goes afterwards. */
  exported(options?: ExportOptions & { readonly offline?: boolean }): Promise<Exported>;
  /** The paths of what the store has kept. */
  kept(): Promise<readonly string[]>;
}

async function setStage(one: Image = sample, place?: Scratch): Promise<Stage> {
  const { directory, ...scope } = place ?? (await scratch());
  const registry = await startRegistry();
  const reference = stored(registry, "some/image", one);
  const ours = store(join(directory, "store"));
  const outputs = join(directory, "store", "outputs");
  return {
    directory,
    registry,
    reference,
    store: ours,
    async exported({ offline = false, ...options } = {}) {
      await using source = storedSource(registrySource({ retries: 0 }), ours, { offline });
      const target = join(await mkdtemp(join(directory, "target-")), "file");
      const before = registry.requests.length;
      const events: OciUnpackEvent[] = [];
      const onEvent = (event: OciUnpackEvent) => void events.push(event);
      const all = { platform: "linux/amd64", source, keep: true, onEvent, ...options };
      const result = await exportRootfs(reference, target, all);
      const bytes = await readFile(target);
      assert.deepEqual(await readdir(join(target, "..")), ["file"]);
      await rm(join(target, ".."), { recursive: true });
      const asked = registry.requests.slice(before).map(({ path }) => path.replace(/^\/v2\/some\/image\//, ""));
      return { result, bytes, events, asked };
    },
    async kept() {
      const keys = existsSync(outputs) ? await readdir(outputs) : [];
      assert.deepEqual((await readdir(join(ours.directory, "ingest"))).sort(), [], "nothing is staged");
      return keys.map((key) => join(outputs, key));
    },
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]();
      await (scope as AsyncDisposable)[Symbol.asyncDispose]();
    },
  };
}

/** What of a result is the same whenever it is given out. */
function lasting({ milliseconds, downloadedBytes, kept, file: path, ...rest }: ExportResult): object {
  return rest;
}

const told = (events: readonly OciUnpackEvent[]) => events.filter(({ type }) => ["skipped", "warning"].includes(type));

describe("what was kept is given out the next time, and is what it was", () => {
  for (const [what, options] of [
    ["a tar", {}],
    ["a part as a tar", { include: ["etc"], exclude: ["**/linked-*"] }],
    ["an erofs", { form: "erofs" }],
    ["a squashfs", { form: "squashfs" }],
    ["an ext4", { form: "ext4", sizeBytes: 32 * 1024 * 1024 }],
    ["an ext4 with its hash tree", { form: "ext4", verity: true }],
  ] as readonly (readonly [string, ExportOptions])[]) {
    const tool = tools[options.form ?? "tar"];
    test(`${what}: no layer is asked for, and all is told again`, {
      skip: tool !== undefined && skipWithout(tool),
    }, async () => {
      await using stage = await setStage();
      const first = await stage.exported(options);
      assert.equal(first.result.kept, undefined);
      const second = await stage.exported(options);
      assert.deepEqual([second.result.kept, second.result.downloadedBytes], ["copied", 0]);
      assert.ok(second.bytes.equals(first.bytes));
      assert.deepEqual(lasting(second.result), lasting(first.result));
      assert.deepEqual(told(second.events), told(first.events));
      assert.deepEqual(second.asked, ["manifests/latest"]);
      assert.equal((await stage.kept()).length, 1);
    });
  }
});
