import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { buffer } from "node:stream/consumers";
import {
  type ExportOptions,
  type ExportResult,
  exportRootfs,
  type OciUnpackEvent,
  registrySource,
  type Store,
  store,
  storedSource,
} from "../../src/index.ts";
import { type Image, stored } from "../support/image.ts";
import { type RegistryDouble, startRegistry } from "../support/registry-double.ts";
import { type Scratch, scratch } from "../support/scratch.ts";

type KeepingOptions = ExportOptions & { readonly offline?: boolean };

/** What one export did. */
export interface Exported {
  readonly result: ExportResult;
  readonly bytes: Buffer;
  readonly events: readonly OciUnpackEvent[];
  /** The documents and blobs that the registry was asked for. */
  readonly asked: readonly string[];
}

/** A registry with an image in it, a store, and a place for what is made. */
export interface Stage extends AsyncDisposable {
  readonly directory: string;
  readonly registry: RegistryDouble;
  readonly reference: string;
  readonly store: Store;
  /** Exports with `keep` through the store, to a file that goes afterwards. */
  exported(options?: KeepingOptions): Promise<Exported>;
  /** The same into a stream. */
  streamed(options?: KeepingOptions): Promise<Exported>;
  /** The directories of what the store has kept. Nothing else is left there. */
  kept(): Promise<readonly string[]>;
}

/** `place` is where the store and the targets are. */
export async function setStage(one: Image, place?: Scratch): Promise<Stage> {
  const scope = place ?? (await scratch());
  const { directory } = scope;
  const registry = await startRegistry();
  const reference = stored(registry, "some/image", one);
  const ours = store(join(directory, "store"));

  /** Calls `exportTo` with all that there is to see. */
  async function seen({ offline = false, ...options }: KeepingOptions, exportTo: ExportTo): Promise<Exported> {
    await using source = storedSource(registrySource({ retries: 0 }), ours, { offline });
    const before = registry.requests.length;
    const events: OciUnpackEvent[] = [];
    const onEvent = (event: OciUnpackEvent) => void events.push(event);
    const made = await exportTo({ platform: "linux/amd64", source, keep: true, onEvent, ...options });
    const asked = registry.requests.slice(before).map(({ path }) => path.replace(/^\/v2\/some\/image\//, ""));
    return { ...made, events, asked };
  }

  return {
    directory,
    registry,
    reference,
    store: ours,
    async exported(options = {}) {
      const parent = await mkdtemp(join(directory, "target-"));
      try {
        return await seen(options, async (all) => {
          const result = await exportRootfs(reference, join(parent, "file"), all);
          return { result, bytes: await readFile(join(parent, "file")) };
        });
      } finally {
        const left = (await readdir(parent)).filter((name) => name !== "file");
        await rm(parent, { recursive: true });
        assert.deepEqual(left, []);
      }
    },
    async streamed(options = {}) {
      return await seen(options, async (all) => {
        const stream = new PassThrough();
        const arrived = buffer(stream);
        const result = await exportRootfs(reference, stream, all).finally(() => stream.end());
        return { result, bytes: await arrived };
      });
    },
    async kept() {
      const outputs = join(ours.directory, "outputs");
      assert.deepEqual(await readdir(join(ours.directory, "ingest")), []);
      return existsSync(outputs) ? (await readdir(outputs)).map((key) => join(outputs, key)) : [];
    },
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]();
      await scope[Symbol.asyncDispose]();
    },
  };
}

type ExportTo = (options: ExportOptions) => Promise<Pick<Exported, "result" | "bytes">>;
