import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { registrySource, type Store, store, storedSource, type UnpackResult, unpack } from "../../src/index.ts";
import { type Image, stored } from "../support/image.ts";
import { type RegistryDouble, startRegistry } from "../support/registry-double.ts";
import { scratch } from "../support/scratch.ts";
import { readTree, type Tree } from "../support/tree.ts";

/** A registry with an image in it, and a store. */
export interface Stage extends AsyncDisposable {
  readonly directory: string;
  readonly registry: RegistryDouble;
  readonly store: Store;
  readonly reference: string;
  /** Unpacks through the store, in this process. */
  unpack(options?: StageUnpackOptions): Promise<Unpacked>;
  /** Begins to unpack through the store in a process of its own. */
  start(): Promise<Started>;
  /** Paths that were asked for since the last time, without their beginnings. */
  asked(): readonly string[];
}

export interface StageUnpackOptions {
  readonly reference?: string;
  readonly offline?: boolean;
  /** Whether indexes of the layers are kept. Default: true. */
  readonly index?: boolean;
}

export interface Unpacked {
  readonly result: UnpackResult;
  readonly tree: Tree;
}

export interface Started {
  readonly child: ChildProcess;
  /** Where it unpacks to. */
  readonly target: string;
  /** What it wrote, once it ended well. */
  readonly ended: Promise<string>;
}

/** Where several stages share a registry, whoever started it ends it. */
export async function setStage(image: Image, shared?: RegistryDouble): Promise<Stage> {
  const place = await scratch();
  const double = shared ?? (await startRegistry());
  const reference = stored(double, "some/image", image);
  const ours = store(join(place.directory, "store"));
  let seen = 0;
  const target = async () => join(await mkdtemp(join(place.directory, "target-")), "target");
  return {
    directory: place.directory,
    registry: double,
    store: ours,
    reference,
    async unpack(options = {}) {
      const { offline = false, index = true } = options;
      await using source = storedSource(registrySource({ retries: 0 }), ours, { offline, index });
      const name = options.reference ?? reference;
      const result = await unpack(name, await target(), { source, platform: "linux/amd64" });
      return { result, tree: readTree(result.rootfs) };
    },
    async start() {
      const program = fileURLToPath(new URL("../support/store-probe.js", import.meta.url));
      const directory = await target();
      const child = spawn(process.execPath, [program, reference, ours.directory, directory]);
      return { child, target: directory, ended: outputOf(child) };
    },
    asked() {
      const paths = double.requests.slice(seen).map(({ path }) => path.replace(/^\/v2\/some\/image\//, ""));
      seen = double.requests.length;
      return paths;
    },
    async [Symbol.asyncDispose]() {
      if (shared === undefined) await double[Symbol.asyncDispose]();
      await place[Symbol.asyncDispose]();
    },
  };
}

async function outputOf(child: ChildProcess): Promise<string> {
  let text = "";
  child.stdout?.on("data", (chunk) => {
    text += chunk;
  });
  child.stderr?.on("data", (chunk) => {
    text += chunk;
  });
  const [status, signal] = await once(child, "close");
  if (signal === "SIGKILL") return "killed";
  assert.equal(status, 0, text);
  return text;
}
