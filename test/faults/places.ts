import { execFileSync } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { type Image, stored } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { startRegistry } from "../support/registry-double.ts";
import { answer, withBody } from "../support/registry-reply.ts";
import { type Change, type Fault, sample, topLayerOf } from "./fault.ts";
import type { Environment, Stage } from "./stage.ts";

/** An image with a fault, somewhere where the command can get it. */
export interface Placed extends AsyncDisposable {
  readonly args: readonly string[];
  readonly env?: Environment;
}

/** Puts an image with a fault where a kind of source finds it. */
export type Place = (fault: Fault, stage: Stage) => Promise<Placed>;

const nothingOpen = { [Symbol.asyncDispose]: async () => {} };
const unchanged: Change = (bytes) => bytes;

/** Every kind of source, by the beginning of its names. */
export const places: Readonly<Record<string, Place>> = {
  "oci:": async (fault, stage) => ({ args: [`oci:${await layout(fault, stage, "index.json")}:1`], ...nothingOpen }),

  "oci-archive:": async (fault, stage) => {
    const archive = packed(await layout(fault, stage, "index.json"));
    return { args: [`oci-archive:${archive}:1`], ...nothingOpen };
  },

  "docker-archive:": async (fault, stage) => {
    const archive = packed(await layout(fault, stage, "manifest.json"));
    return { args: [`docker-archive:${archive}:app:1`], ...nothingOpen };
  },

  "docker-daemon:": async (fault, stage) => {
    const archive = await readFile(packed(await layout(fault, stage, "manifest.json")));
    const server = createServer((_request, response) => response.end(archive));
    const socket = join(stage.directory, "engine.sock");
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    return {
      args: ["docker-daemon:app:1"],
      env: { DOCKER_HOST: `unix://${socket}` },
      async [Symbol.asyncDispose]() {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      },
    };
  },

  "dir:": async (fault, stage) => {
    const path = join(stage.directory, "dir");
    const { manifest, config, layers } = fault.image ?? sample;
    await mkdir(path);
    await writeFile(join(path, "manifest.json"), manifest.bytes);
    for (const { descriptor, bytes } of [config, ...layers]) await writeFile(join(path, hex(descriptor.digest)), bytes);
    await spoil(join(path, "manifest.json"), fault.first);
    await spoil(join(path, hex(topLayerOf(fault.image ?? sample))), fault.layer);
    return { args: [`dir:${path}`], ...nothingOpen };
  },

  registry: async (fault) => {
    const registry = await startRegistry();
    const content = fault.image ?? sample;
    const reference = stored(registry, "some/app", content);
    for (const [path, change = unchanged] of [
      [/\/manifests\//, fault.first],
      [new RegExp(topLayerOf(content)), fault.layer],
    ] as const) {
      registry.always(path, (reply, request) => {
        const bytes = change(reply.body);
        return (bytes === undefined ? answer(404) : withBody(() => bytes))(reply, request);
      });
    }
    return { args: ["--plain-http", reference], [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose]() };
  },

  "--offline": async (fault, stage) => {
    const store = join(stage.directory, "store");
    const name = `oci:${await layout({ image: fault.image ?? sample }, stage, "index.json")}:1`;
    // Documents and blobs are kept before they are judged: an image that is wrong in itself gets there, too.
    await stage.keeps(name, store);
    // If that was judged first, it may not be there yet.
    for (const { descriptor, bytes } of (fault.image ?? sample).layers)
      await writeIfMissing(join(store, blobPath(descriptor.digest)), bytes);
    await spoil(join(store, "index.json"), fault.first);
    await spoil(join(store, blobPath(topLayerOf(fault.image ?? sample))), fault.layer);
    return { args: ["--store", store, "--offline", name], ...nothingOpen };
  },
};

/** A layout, with docker's list beside its own, in which the fault befell the file that is read first. */
async function layout(
  { image = sample, first, layer }: Pick<Fault, "image" | "first" | "layer">,
  { directory }: Stage,
  readFirst: "index.json" | "manifest.json",
): Promise<string> {
  const path = join(directory, "layout");
  await mkdir(path);
  await writeImageLayout(path, [{ tag: "1", images: [image] }]);
  await writeFile(join(path, "manifest.json"), JSON.stringify([dockerList(image)]));
  await spoil(join(path, readFirst), first);
  await spoil(join(path, blobPath(topLayerOf(image))), layer);
  return path;
}

function dockerList({ config, layers }: Image): object {
  const paths = layers.map(({ descriptor }) => blobPath(descriptor.digest));
  return { Config: blobPath(config.descriptor.digest), RepoTags: ["app:1"], Layers: paths };
}

/** An archive beside the directory, of all that is in it. */
function packed(directory: string): string {
  execFileSync("tar", ["-cf", `${directory}.tar`, "-C", directory, "."]);
  return `${directory}.tar`;
}

async function spoil(path: string, change: Change = unchanged): Promise<void> {
  const bytes = change(await readFile(path));
  await rm(path); // what a store keeps is read-only
  if (bytes !== undefined) await writeFile(path, bytes);
}

async function writeIfMissing(path: string, bytes: Uint8Array): Promise<void> {
  await writeFile(path, bytes, { flag: "wx" }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
}

function blobPath(digest: string): string {
  return `blobs/${digest.replace(":", "/")}`;
}

function hex(digest: string): string {
  return digest.slice(digest.indexOf(":") + 1);
}
